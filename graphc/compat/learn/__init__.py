"""The parts of `tf.contrib.learn` that prepare data."""
