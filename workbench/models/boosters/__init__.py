"""Boosters of XGBoost, LightGBM and CatBoost: kept as the text their library writes, read strictly, and evaluated here.

Nothing of those libraries is needed to load, inspect, compile or serve such a model, and nothing native is read. That a text was
read right is not believed: where the model is logged, the library itself is there, and answers are compared (`substituting`).
"""
