"""tf.contrib.metrics: gc.metrics under other names, the predictions first."""
