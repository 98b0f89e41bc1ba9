"""Sequential recommenders that RecBole lacks, and those of its own that need a repair.

Importing this package imports none of them. A repaired model keeps the name of RecBole's.
"""

from __future__ import annotations

from importlib import import_module

MODELS = {  # name: "module:class"
    "LSTM": "recbole_finest.model.lstm:LSTM",
    "LRURec": "recbole_finest.model.lrurec:LRURec",
    "TiSASRec": "recbole_finest.model.tisasrec:TiSASRec",
    # repaired
    "BERT4Rec": "recbole_finest.model.bert4rec:BERT4Rec",
    "FEARec": "recbole_finest.model.fearec:FEARec",
    "KSR": "recbole_finest.model.ksr:KSR",
    "S3Rec": "recbole_finest.model.s3rec:S3Rec",
    "TransRec": "recbole_finest.model.transrec:TransRec",
}


def model_class(name: str) -> type:
    """The class of one of ``MODELS``, imported now; ``KeyError`` for any other name."""
    module, attribute = MODELS[name].split(":")
    return getattr(import_module(module), attribute)
