"""Our own converters from fitted scikit-learn models to ONNX in double precision: one function a class, one file a family.

A converter computes what scikit-learn computes, in its order and its precision, or raises `CannotCompileError`. That it did so is
not believed: whoever compiles compares on rows made for it (`compiler/proof.py`). Each file ends in the table of its classes;
`composition.py`, which converts what is made of others, has them all.
"""
