"""Has narwhals look for its plugins when this is imported: it reads what every installed package says of itself, once a process.

scikit-learn asks narwhals about every table it is given, so otherwise each kernel would read hundreds of files by itself.
"""

import narwhals.stable.v2 as nw

nw.dependencies.is_into_dataframe(None)
