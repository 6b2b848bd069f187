"""Sequence to sequence: decoders, helpers, attention and beam search of `tf.contrib.seq2seq`, and the unrolled models
of `tf.contrib.legacy_seq2seq`. Built only from public names."""
