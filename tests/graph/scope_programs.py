"""Programs about names, scopes and variables: `tf` is the module, `out` gets what is to be compared.

Recorded from TensorFlow 2.21 (compat.v1) in scopes_in_tensorflow.json, where each runs in a fresh graph.
"""

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def err(function):
    """The name of what it gives, or else that as text; of an exception its class."""
    try:
        made = function()
        return getattr(made, "name", str(made))
    except KeyError:
        return "KeyError"
    except Exception as error:
        return type(error).__name__


@case
def reenter(tf, out):
    with tf.variable_scope("a") as a:
        out.append([tf.get_variable("v", [1]).name, (tf.constant(1.0) + 1.0).name, a.original_name_scope])
    with tf.variable_scope(a) as b:
        out.append(
            [tf.get_variable("w", [1]).name, tf.constant(1.0).name, tf.Variable(1.0).name, b.original_name_scope]
        )
    with tf.variable_scope("a", reuse=True) as c:
        out.append([tf.get_variable("v").name, tf.constant(1.0).name, c.original_name_scope, c.name])
    with tf.variable_scope("b"):
        with tf.variable_scope(a, auxiliary_name_scope=False) as d:
            out.append([d.name, d.original_name_scope, tf.constant(1.0).name, tf.get_variable("z", [1]).name])
        with tf.variable_scope(a):
            out.append([tf.constant(1.0).name, tf.get_variable("y", [1]).name, tf.Variable(2.0).name])
            with tf.name_scope(a.original_name_scope):
                out.append(tf.constant(1.0).name)
        with tf.variable_scope("c", auxiliary_name_scope=False) as e:
            out.append([e.name, e.original_name_scope, tf.constant(1.0).name, tf.get_variable("z", [1]).name])
    with tf.variable_scope("q", auxiliary_name_scope=False) as e:
        out.append([e.name, e.original_name_scope, tf.constant(1.0).name, tf.get_variable("z", [1]).name])
    with tf.variable_scope("") as e:
        out.append([e.name, e.original_name_scope, tf.constant(1.0).name, tf.get_variable("z", [1]).name])
    with tf.variable_scope("x"):
        with tf.variable_scope("") as e:
            out.append([e.name, e.original_name_scope, tf.constant(1.0).name, tf.get_variable("z", [1]).name])
    with tf.variable_scope(tf.get_variable_scope()) as e:
        out.append([e.name, e.original_name_scope, tf.constant(1.0).name, tf.get_variable("zz", [1]).name])
    with tf.variable_scope("a/b") as e:
        out.append([e.name, e.original_name_scope, tf.constant(1.0).name, tf.get_variable("z", [1]).name])


@case
def default_names(tf, out):
    def layer():
        with tf.variable_scope(None, "dense") as s:
            return [s.name, s.original_name_scope, tf.constant(1).name]

    out.append(layer())
    out.append(layer())
    with tf.variable_scope("o"):
        out.append(layer())
        out.append(layer())
    with tf.variable_scope("o2") as o:
        out.append(layer())
    with tf.variable_scope(o):
        out.append([tf.get_variable_scope().name])
    out.append(layer())
    with tf.variable_scope("dense_3"):
        pass
    out.append(layer())
    out.append(layer())
    with tf.variable_scope(tf.get_variable_scope()):
        out.append(layer())
    out.append(layer())
    with tf.variable_scope(o, reuse=tf.AUTO_REUSE):
        out.append(layer())
    with tf.variable_scope(o, reuse=tf.AUTO_REUSE):
        out.append(layer())
    with tf.variable_scope("p"):
        with tf.variable_scope(tf.get_variable_scope(), reuse=tf.AUTO_REUSE):
            out.append(layer())
        with tf.variable_scope(tf.get_variable_scope(), reuse=tf.AUTO_REUSE):
            out.append(layer())
        out.append(layer())


@case
def reuse(tf, out):
    with tf.variable_scope("r") as r:
        v = tf.get_variable("v", [2])
        out.append(err(lambda: tf.get_variable("v", [2])))
        r.reuse_variables()
        out.append(tf.get_variable("v", [2]) is v)
        out.append(err(lambda: tf.get_variable("w", [2])))
        out.append(err(lambda: tf.get_variable("v", [3])))
        out.append(err(lambda: tf.get_variable("v", [2], tf.int32)))
        with tf.variable_scope("in", reuse=False) as i:
            out.append(bool(i.reuse))
    with tf.variable_scope("r", reuse=tf.AUTO_REUSE):
        out.append(err(lambda: tf.get_variable("v", [2])))
        out.append(err(lambda: tf.get_variable("new", [2])))
    with tf.variable_scope("r"):
        out.append(err(lambda: tf.get_variable("v")))
    with tf.variable_scope(r):
        out.append(err(lambda: tf.get_variable("v", [2])))
    with tf.variable_scope("r", reuse=True):
        with tf.variable_scope("k"):
            out.append(err(lambda: tf.get_variable("v", [2])))
    with tf.variable_scope(tf.get_variable_scope(), reuse=True):
        out.append(err(lambda: tf.get_variable("r/v")))
    out.append(err(lambda: tf.get_variable("li", initializer=[1, 2])))
    out.append(tf.get_variable("li2", initializer=[1, 2]).dtype.base_dtype.name)
    out.append(tf.get_variable("li3", initializer=5.0).dtype.base_dtype.name)
    out.append(err(lambda: tf.get_variable("li4", dtype=tf.float32, initializer=[1, 2])))
    out.append(err(lambda: tf.get_variable("li5", shape=[2], initializer=[1.0, 2.0])))
    out.append(err(lambda: tf.get_variable("s1", shape=[None, 2])))
    out.append(err(lambda: tf.get_variable("s2")))
    out.append(err(lambda: tf.get_variable("s3", dtype=tf.string, shape=[2])))
    out.append(err(lambda: tf.get_variable("s4", dtype=tf.bool, shape=[2])))
    out.append(err(lambda: tf.get_local_variable("lv", [2])))
    out.append([v.name for v in tf.local_variables()])
    out.append(err(lambda: tf.variable_scope(None)))


@case
def getters(tf, out):
    def g1(getter, name, *args, **kwargs):
        out.append(["g1", name, sorted(kwargs)])
        return getter(name + "_1", *args, **kwargs)

    def g2(getter, *args, **kwargs):
        out.append(["g2", kwargs["name"], len(args)])
        return getter(*args, **kwargs)

    def g3(
        getter,
        name,
        shape=None,
        dtype=None,
        initializer=None,
        regularizer=None,
        reuse=None,
        trainable=True,
        collections=None,
        caching_device=None,
        partitioner=None,
        validate_shape=True,
        use_resource=None,
        synchronization=None,
        aggregation=None,
    ):
        v = getter(name, shape, dtype, initializer, regularizer, reuse, trainable, collections)
        return v * 2.0

    with tf.variable_scope("s", custom_getter=g1):
        out.append(tf.get_variable("v", [1]).name)
        with tf.variable_scope("t", custom_getter=g2):
            out.append(tf.get_variable("v", [1]).name)
        out.append(tf.get_variable("x", [1], custom_getter=g2).name)
        out.append(tf.get_variable("y", [1], custom_getter=g3).name)


@case
def partitions(tf, out):
    p = tf.fixed_size_partitioner(3)
    v = tf.get_variable("v", [7, 2], partitioner=p)
    out.append([type(v).__name__, v.name, [q.name for q in v], [q.shape.as_list() for q in v], v.shape.as_list()])
    out.append([q._get_save_slice_info().spec for q in v])
    out.append([q._get_save_slice_info().full_name for q in v])
    out.append(v.as_tensor().name)
    out.append(tf.add(v, 1.0).name)
    out.append(tf.convert_to_tensor(v).name)
    with tf.variable_scope(tf.get_variable_scope(), reuse=True):
        out.append(tf.get_variable("v", [7, 2]) is v)
        out.append(tf.get_variable("v", [7, 2], partitioner=p) is v)
    with tf.variable_scope("s", partitioner=p, regularizer=lambda w: tf.reduce_sum(w)):
        w = tf.get_variable("w", [4])
        b = tf.get_variable("b", [])
        out.append([[q.name for q in w], b.name])
        c = tf.get_variable("c", initializer=tf.zeros([5, 2]))
        out.append([q.op.name for q in c])
        tf.get_variable("k", [4, 4], initializer=tf.constant_initializer(1.0))
    out.append([x.name for x in tf.trainable_variables()])
    out.append([x.name for x in tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)])
    e = tf.nn.embedding_lookup(v, [0, 3, 6], partition_strategy="div")
    loss = tf.reduce_sum(e) + tf.reduce_sum(tf.square(w))
    tr = tf.train.AdamOptimizer(0.1).minimize(loss)
    out.append(sorted(x.name for x in tf.global_variables()))
    for f in (tf.variable_axis_size_partitioner(100), tf.min_max_variable_partitioner(4, min_slice_size=64)):
        q = tf.get_variable(f"m{len(out)}", [16, 8], partitioner=f)
        out.append(len(list(q)))
    out.append(err(lambda: tf.get_variable("v", [7, 2])))
    out.append(err(lambda: tf.get_variable("v", [7, 2], partitioner=p)))
    out.append(err(lambda: tf.get_variable("s/b", [7, 2], partitioner=p)))
    with tf.Session() as s:
        s.run(tf.global_variables_initializer())
        s.run(tr)
        out.append(s.run(tf.shape(v)).tolist())
        out.append(s.run(c.as_tensor()).tolist())
    out.append([o.name for o in tf.get_default_graph().get_operations() if o.name.startswith("s/w/")])
    out.append([o.name for o in tf.get_default_graph().get_operations() if o.name.startswith("s/c/")])


@case
def template(tf, out):
    def f(x, n):
        w = tf.get_variable("w", [1])
        return x * w * n

    t = tf.make_template("t", f, n=2.0)
    out.append([t(1.0).name, t(2.0).name, t.variable_scope.name, [v.name for v in t.variables]])
    t2 = tf.make_template("t", f, n=2.0)
    t2(1.0)
    out.append([v.name for v in t2.trainable_variables])
    with tf.variable_scope("in"):
        t3 = tf.make_template("t", f, create_scope_now_=True, n=1.0)
    out.append(t3(1.0).name)
    out.append(t3.variable_scope.name)
    out.append(t3(1.0).name)
    t4 = tf.make_template("u", lambda: tf.Variable(1.0))
    t4()
    try:
        t4()
        out.append("no")
    except ValueError:
        out.append("ValueError")
    t5 = tf.make_template("n", f, unique_name_="uq", n=1.0)
    out.append([t5(1.0).name, [v.name for v in t5.variables]])


@case
def creators(tf, out):
    def c1(next_creator, **kw):
        out.append(["c1", kw["name"], kw["trainable"]])
        kw["name"] = (kw["name"] or "un") + "_c"
        return next_creator(**kw)

    def c2(next_creator, **kw):
        out.append(["c2", kw["name"]])
        return next_creator(**kw)

    with tf.variable_creator_scope(c1), tf.variable_creator_scope(c2):
        out.append(tf.Variable(1.0, name="q").name)
        out.append(tf.get_variable("g", [1]).name)
    out.append(tf.Variable(1.0, name="q").name)


@case
def names(tf, out):
    with tf.name_scope("a") as a:
        with tf.name_scope("b"):
            with tf.name_scope(a) as again:
                out.append([again, tf.constant(1).name])
            with tf.name_scope(None) as n:
                out.append([n, tf.constant(1).name])
            with tf.name_scope("") as n:
                out.append([n, tf.constant(1).name])
            with tf.name_scope("a/") as n:
                out.append([n, tf.constant(1, name="k").name])
            out.append(tf.get_default_graph().get_name_scope())
    with tf.name_scope("a") as n:
        out.append(n)
    with tf.name_scope(None, "df") as n:
        out.append(n)
    with tf.name_scope(None, "df", [tf.constant(1)]) as n:
        out.append(n)
    g = tf.get_default_graph()
    out.append([g.unique_name("u"), g.unique_name("u"), g.unique_name("u", mark_as_used=False), g.unique_name("u")])
    out.append(
        [
            tf.constant(1, name="X").name,
            tf.constant(1, name="x").name,
            tf.constant(1, name="x_1").name,
            tf.constant(1, name="x").name,
        ]
    )
    out.append([tf.constant(1, name="p/q/r").name, tf.constant(1, name="p").name, tf.constant(1, name="p/q").name])
    for bad in ("_a", "a b", "a:0", "é"):
        try:
            tf.constant(1, name=bad)
            out.append("ok")
        except ValueError:
            out.append("ValueError")
    with tf.name_scope("z"):
        for bad in ("_a", "a b"):
            try:
                out.append(tf.constant(1, name=bad).name)
            except ValueError:
                out.append("ValueError")


@case
def graph_methods(tf, out):
    g = tf.Graph()
    with g.as_default():
        x = tf.placeholder(tf.float32, [2], name="x")
        for f in (
            lambda: g.as_graph_element("x"),
            lambda: g.as_graph_element("x:0"),
            lambda: g.as_graph_element("x", allow_operation=False),
            lambda: g.as_graph_element("q"),
            lambda: g.as_graph_element("q:0"),
            lambda: g.as_graph_element("x:1"),
            lambda: g.get_operation_by_name("x:0"),
            lambda: g.get_tensor_by_name("x"),
            lambda: g.get_tensor_by_name(3),
            lambda: g.get_operation_by_name(3),
            lambda: g.as_graph_element(3.0),
            lambda: g.get_tensor_by_name("x:a"),
            lambda: g.is_feedable(x),
            lambda: g.is_fetchable(x),
            lambda: g.version > 0,
            lambda: g.building_function,
            lambda: g.seed,
            lambda: g.finalized,
        ):
            out.append(err(f))
        with g.control_dependencies([x]):
            a = tf.constant(1.0)
            with g.control_dependencies(None):
                b = tf.constant(1.0)
            with g.control_dependencies([a]):
                c = tf.constant(1.0)
                d = a + 1.0
        out.append([[q.name for q in t.op.control_inputs] for t in (a, b, c, d)])
        with g.device("/cpu:0"):
            e = tf.constant(1)
            with g.device("/job:w/task:1"):
                f = tf.constant(1)
            with g.device(None):
                h = tf.constant(1)
        with g.device(lambda op: "/device:GPU:1"):
            i = tf.constant(1)
        out.append([e.device, f.device, h.device, i.device])
        with g.container("c"):
            tf.Variable(1.0)
        g.add_to_collection("k", 1)
        g.add_to_collections(["k", "l"], 2)
        out.append([g.get_collection("k"), g.get_collection("l"), sorted(g.get_all_collection_keys())])
        g.clear_collection("k")
        out.append(g.get_collection("k"))
        g.prevent_feeding(x)
        out.append(g.is_feedable(x))
        g.prevent_fetching(x.op)
        out.append(g.is_fetchable(x))
        g.finalize()
        out.append(err(lambda: tf.constant(1)))


@case
def collections(tf, out):
    with tf.variable_scope("a"):
        tf.get_variable("v", [1])
    with tf.variable_scope("ab"):
        tf.get_variable("v", [1], trainable=False)
    tf.add_to_collection("x", tf.constant(1, name="a_c"))
    tf.add_to_collection("x", 5)
    out.append([v.name for v in tf.global_variables("a")])
    out.append([v.name for v in tf.global_variables("a/")])
    out.append([v.name for v in tf.trainable_variables("ab")])
    out.append([v.name for v in tf.get_collection("x", "a")])
    out.append([v.name for v in tf.get_collection("variables", ".*b")])
    out.append([v.name for v in tf.model_variables()])
    out.append(tf.moving_average_variables())
    out.append([k for k in dir(tf.GraphKeys) if k.isupper()])


@case
def variables(tf, out):

    v = tf.Variable([1.0, 2.0], name="v")
    for f in (
        lambda: v.op,
        lambda: v.value(),
        lambda: v.read_value(),
        lambda: v.initializer,
        lambda: v.initial_value,
        lambda: v.initialized_value().dtype,
        lambda: v.assign([1.0, 2.0]),
        lambda: v.assign_add([1.0, 2.0]),
        lambda: v.assign_sub([1.0, 2.0], name="as"),
        lambda: v.get_shape(),
        lambda: v.scatter_update(tf.IndexedSlices([1.0], [0])),
        lambda: v.scatter_add(tf.IndexedSlices([1.0], [0])),
        lambda: v.scatter_sub(tf.IndexedSlices([1.0], [0])),
        lambda: v.trainable,
        lambda: v.graph is tf.get_default_graph(),
        lambda: tf.Variable(0, name="c").count_up_to(3),
        lambda: tf.Variable(),
        lambda: tf.Variable(tf.placeholder(tf.float32, [None])),
        lambda: tf.Variable(lambda: 1.0, name="fn").initial_value,
        lambda: bool(v),
        lambda: len(v),
        lambda: v == v,
        lambda: tf.Variable(1.0, synchronization=tf.VariableSynchronization.ON_READ).trainable,
        lambda: tf.Variable(1.0, collections="a"),
        lambda: v.assign([1.0, 2.0, 3.0]),
        lambda: v[0],
        lambda: v.constraint,
        lambda: v._shared_name,
        lambda: v.device,
        lambda: tf.report_uninitialized_variables().dtype.name,
    ):
        out.append(err(f))
    with tf.Session() as s:
        out.append(sorted(x.decode() for x in s.run(tf.report_uninitialized_variables([v]))))
        s.run(v.initializer)
        v.load([5.0, 6.0], s)
        out.append(v.eval().tolist())
        out.append(s.run(v).tolist())
        out.append(s.run(tf.report_uninitialized_variables([v])).tolist())
