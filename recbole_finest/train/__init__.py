"""Training: base with RecBole's trainers made safe, and the fine-tuning stage."""
