"""Sequential recommenders that RecBole lacks; importing this package imports none of them."""

from __future__ import annotations

from importlib import import_module

MODELS = {  # name: "module:class"
    "LSTM": "recbole_finest.model.lstm:LSTM",
    "LRURec": "recbole_finest.model.lrurec:LRURec",
    "TiSASRec": "recbole_finest.model.tisasrec:TiSASRec",
}


def model_class(name: str) -> type:
    """The class of one of ``MODELS``, imported now; ``KeyError`` for any other name."""
    module, attribute = MODELS[name].split(":")
    return getattr(import_module(module), attribute)
