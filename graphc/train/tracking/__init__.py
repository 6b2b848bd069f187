"""tf.train.Checkpoint: objects saved and restored by the way to them.

    children.py       what an object holds that is saved, and under which name
    object_graph.py   all objects below one, as the message that a checkpoint has of them, and the keys of variables
    matching.py       which object of a program is which one of a checkpoint
    status.py         what a restore gives: it puts values into a session, and says what fits
    checkpoint.py     Checkpoint
    manager.py        CheckpointManager: the newest ones are kept
"""
