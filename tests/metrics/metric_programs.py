"""Calls of metrics: `tf` is the module, `p` the placeholders of test_metric_programs.py. Each gives (value, update)."""


def cases(tf, p):
    m = tf.metrics
    x, y, w, b, c = p["x"], p["y"], p["w"], p["b"], p["c"]
    scores, ids = p["scores"], p["ids"]
    yield "mean", lambda: m.mean(x)
    yield "mean_weights", lambda: m.mean(x, weights=w)
    yield "mean_scalar_weight", lambda: m.mean(x, weights=0.5)
    yield "mean_name", lambda: m.mean(x, name="mine")
    yield "mean_tensor", lambda: m.mean_tensor(x)
    yield "mean_tensor_weights", lambda: m.mean_tensor(x, weights=w)
    yield "accuracy", lambda: m.accuracy(c, p["d"])
    yield "accuracy_weights", lambda: m.accuracy(c, p["d"], weights=p["cw"])
    yield "accuracy_bool", lambda: m.accuracy(labels=b, predictions=tf.cast(y, tf.bool))
    yield "mean_squared_error", lambda: m.mean_squared_error(x, y)
    yield "mean_absolute_error", lambda: m.mean_absolute_error(x, y, weights=w)
    yield "root_mean_squared_error", lambda: m.root_mean_squared_error(x, y)
    yield "mean_relative_error", lambda: m.mean_relative_error(x, y, normalizer=x)
    yield "mean_cosine_distance", lambda: m.mean_cosine_distance(x, y, 1)
    yield "percentage_below", lambda: m.percentage_below(x, 0.5)
    yield "true_positives", lambda: m.true_positives(b, x > 0.5)
    yield "false_positives", lambda: m.false_positives(b, x > 0.5)
    yield "true_negatives", lambda: m.true_negatives(b, x > 0.5)
    yield "false_negatives", lambda: m.false_negatives(b, x > 0.5, weights=w)
    yield "precision", lambda: m.precision(b, x > 0.5)
    yield "precision_weights", lambda: m.precision(b, x > 0.5, weights=w)
    yield "recall", lambda: m.recall(b, x > 0.5)
    yield "auc", lambda: m.auc(b, x)
    yield "auc_weights", lambda: m.auc(b, x, weights=w, num_thresholds=20)
    yield "auc_pr", lambda: m.auc(b, x, curve="PR")
    yield "auc_careful", lambda: m.auc(b, x, curve="PR", summation_method="careful_interpolation")
    yield "auc_minoring", lambda: m.auc(b, x, summation_method="minoring", num_thresholds=11)
    yield "auc_majoring", lambda: m.auc(b, x, summation_method="majoring", num_thresholds=11)
    yield "auc_thresholds", lambda: m.auc(b, x, thresholds=[0.2, 0.4, 0.8])
    yield "precision_at_thresholds", lambda: m.precision_at_thresholds(b, x, [0.3, 0.6])
    yield "recall_at_thresholds", lambda: m.recall_at_thresholds(b, x, [0.3, 0.6], weights=w)
    yield "true_positives_at_thresholds", lambda: m.true_positives_at_thresholds(b, x, [0.3, 0.6])
    yield "false_positives_at_thresholds", lambda: m.false_positives_at_thresholds(b, x, [0.3, 0.6])
    yield "true_negatives_at_thresholds", lambda: m.true_negatives_at_thresholds(b, x, [0.3, 0.6])
    yield "false_negatives_at_thresholds", lambda: m.false_negatives_at_thresholds(b, x, [0.3, 0.6], weights=w)
    yield "sensitivity_at_specificity", lambda: m.sensitivity_at_specificity(b, x, 0.5)
    yield "specificity_at_sensitivity", lambda: m.specificity_at_sensitivity(b, x, 0.5)
    yield "mean_iou", lambda: m.mean_iou(c, p["d"], 4)
    yield "mean_iou_weights", lambda: m.mean_iou(c, p["d"], 4, weights=p["cw"])
    yield "mean_per_class_accuracy", lambda: m.mean_per_class_accuracy(c, p["d"], 4)
    yield "mean_per_class_accuracy_weights", lambda: m.mean_per_class_accuracy(c, p["d"], 4, weights=p["cw"])
    yield "precision_at_k", lambda: m.precision_at_k(ids, scores, 2)
    yield "precision_at_k_class", lambda: m.precision_at_k(ids, scores, 2, class_id=1)
    yield "precision_at_k_weights", lambda: m.precision_at_k(ids, scores, 2, weights=p["cw"])
    yield "precision_at_top_k", lambda: m.precision_at_top_k(ids, tf.nn.top_k(scores, 2).indices, 2)
    yield "recall_at_k", lambda: m.recall_at_k(ids, scores, 2)
    yield "recall_at_k_class", lambda: m.recall_at_k(ids, scores, 2, class_id=2, weights=p["cw"])
    yield "recall_at_top_k", lambda: m.recall_at_top_k(ids, tf.nn.top_k(scores, 2).indices, 2)
    yield "recall_at_k_one_label", lambda: m.recall_at_k(tf.cast(c, tf.int64), scores, 2)
    yield "average_precision_at_k", lambda: m.average_precision_at_k(ids, scores, 3)
    yield "average_precision_at_k_weights", lambda: m.average_precision_at_k(ids, scores, 3, weights=p["cw"])
    yield "sparse_precision_at_k", lambda: m.sparse_precision_at_k(ids, scores, 1)
    yield "sparse_average_precision_at_k", lambda: m.sparse_average_precision_at_k(ids, scores, 2)


def feeds(np):
    """Two batches."""
    draw = np.random.RandomState(3)
    for rows in (3, 3):
        yield {"x": draw.rand(rows, 4).round(2), "y": draw.randint(0, 2, (rows, 4)), "w": draw.rand(rows, 4).round(1),
               "b": draw.rand(rows, 4) > 0.4, "c": draw.randint(0, 4, rows), "d": draw.randint(0, 4, rows),
               "cw": draw.rand(rows).round(1), "scores": draw.rand(rows, 4).round(2),
               "ids": np.array([draw.permutation(4)[:2] for _ in range(rows)])}


def run(tf, np, name, rows=3):
    """[names of variables, of the results, and after each batch what the update gave, and the value].

    rows: what the placeholders say of the batch; None: nothing.
    """
    tf.reset_default_graph()
    p = {k: tf.placeholder(t, [rows, *s[1:]], name=k) for k, t, s in (
        ("x", tf.float32, [3, 4]), ("y", tf.float32, [3, 4]), ("w", tf.float32, [3, 4]), ("b", tf.bool, [3, 4]),
        ("c", tf.int32, [3]), ("d", tf.int32, [3]), ("cw", tf.float32, [3]), ("scores", tf.float32, [3, 4]),
        ("ids", tf.int64, [3, 2]))}
    value, update = dict(cases(tf, p))[name]()
    metric_variables = [v.name for v in tf.get_collection(tf.GraphKeys.METRIC_VARIABLES)]
    found = [metric_variables, [v.name for v in tf.local_variables()], [value.name, update.name]]
    with tf.Session() as session:
        session.run(tf.local_variables_initializer())
        for feed in feeds(np):
            updated = session.run(update, {p[k]: v for k, v in feed.items()})
            found.append([np.asarray(updated).tolist(), np.asarray(session.run(value)).tolist()])
    return found
