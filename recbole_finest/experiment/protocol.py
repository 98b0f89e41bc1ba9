"""What a side of a method is made of, once for a run and for a grid."""

CONTROL_FAILED = (
    "Control failed: base trained once more, without a perturbation, gives other lists, so that a part "
    "of the differences is noise of this machine, or base was trained by another version or on another "
    "device (base_checkpoint, resume)."
)
