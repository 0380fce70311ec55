#!/usr/bin/env bash
# Optuna 5.0.0, seen on 2026-11-30.
#
# Choices that Python calls equal are different ones while a trial runs, and one afterwards. suggest_categorical("depth", [1, True, 1.0])
# proposes all three, and the objective gets the one that was drawn; what the study keeps of the trial is the place of the first equal one,
# so `study.trials` and `best_params` say 1 for each of them. When one setting of two is True and the other 1 the study cannot tell which of
# them was best: here the best trial was given True, best_params says 1, and with 1 the objective answers something else. No error or
# warning is shown.
#
# Ends with 1 when that is no longer so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check optuna==5.0.0 sqlalchemy==2.1.9 numpy==2.4.6
cat >"$folder/seen.py" <<'PYTHON'
import sys
import warnings
from collections import Counter

import optuna

CHOICES = [1, True, 1.0]
warnings.simplefilter("error")
optuna.logging.set_verbosity(optuna.logging.WARNING)


def loss(depth):
    return 0.0 if depth is True else 1.0


def search(storage):
    """Return what the objective was given, what the study kept, and the study."""
    given = []

    def objective(trial):
        given.append(trial.suggest_categorical("depth", CHOICES))
        return loss(given[-1])

    study = optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(objective, n_trials=60)
    return given, [trial.params["depth"] for trial in study.trials], study


def count(values):
    return dict(Counter(map(repr, values)))


as_seen = True
for name, storage in (("memory", None), ("SQLite", "sqlite:///study.db")):
    given, kept, study = search(storage)
    best = study.best_params["depth"]
    print(f"{name}: proposed {count(given)}, kept {count(kept)}")
    print(f"  best value {study.best_value} with {best!r}; asked again with {best!r}: {loss(best)}")
    as_seen = as_seen and len(count(given)) == 3 and set(count(kept)) == {"1"} and loss(best) != study.best_value
sys.exit(not as_seen)
PYTHON
cd "$folder"
"$folder/venv/bin/python" "$folder/seen.py"
