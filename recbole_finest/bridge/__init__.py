"""The fine-tuning stage and its measures for the objects of a RecBole script."""
