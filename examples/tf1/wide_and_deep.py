"""A canned estimator of feature columns, wide and deep: who buys, by age, town and hours; evaluated on the way,
and exported. Run: graphc tf1 wide_and_deep.py [--model_dir folder]"""
import tempfile

import numpy as np
import tensorflow as tf

tf.app.flags.DEFINE_string("model_dir", "", "where checkpoints are kept; by default a temporary folder")
tf.app.flags.DEFINE_integer("steps", 1000, "training steps")
FLAGS = tf.app.flags.FLAGS
TOWNS = ["berlin", "delhi", "lima", "oslo"]


def people(number, seed):
    """Older people of Lima and younger ones of Oslo buy, and whoever works long hours."""
    random = np.random.RandomState(seed)
    age, hours = random.randint(18, 80, number), random.randint(0, 60, number).astype(np.float32)
    town = random.choice(TOWNS, number)
    buys = ((town == "lima") & (age > 50)) | ((town == "oslo") & (age < 40)) | (hours > 50)
    return {"age": age, "hours": hours, "town": town}, buys.astype(np.int32)


def columns():
    town = tf.feature_column.categorical_column_with_vocabulary_list("town", TOWNS)
    ages = tf.feature_column.bucketized_column(tf.feature_column.numeric_column("age"), [30, 40, 50, 60])
    both = tf.feature_column.crossed_column([ages, "town"], hash_bucket_size=100)
    hours = tf.feature_column.numeric_column("hours", normalizer_fn=lambda x: x / 60)
    return [town, ages, both], [hours, ages, tf.feature_column.embedding_column(town, 4)]


def main(_):
    wide, deep = columns()
    folder = FLAGS.model_dir or tempfile.mkdtemp()
    model = tf.estimator.DNNLinearCombinedClassifier(
        folder, linear_feature_columns=wide, linear_optimizer=tf.train.FtrlOptimizer(0.1), dnn_feature_columns=deep,
        dnn_optimizer=tf.train.AdamOptimizer(0.005), dnn_hidden_units=[16, 8],
        config=tf.estimator.RunConfig(save_checkpoints_steps=250, tf_random_seed=1))

    x, y = people(2000, seed=0)
    seen, unseen = people(1000, seed=1)
    train = tf.estimator.inputs.numpy_input_fn(x, y, batch_size=64, num_epochs=None, shuffle=True)
    test = tf.estimator.inputs.numpy_input_fn(seen, unseen, batch_size=100, shuffle=False)
    spec = tf.feature_column.make_parse_example_spec(wide + deep)
    exporter = tf.estimator.FinalExporter("served", tf.estimator.export.build_parsing_serving_input_receiver_fn(spec))
    result, _ = tf.estimator.train_and_evaluate(
        model, tf.estimator.TrainSpec(train, max_steps=FLAGS.steps),
        tf.estimator.EvalSpec(test, steps=None, exporters=exporter, throttle_secs=0))

    first = next(model.predict(test))
    print("the first one of {} buys with probability {:.2f}".format(seen["town"][0], first["probabilities"][1]))
    if result:
        print("step {global_step} accuracy {accuracy:.2f} auc {auc:.2f}".format(**result))


if __name__ == "__main__":
    tf.app.run()
