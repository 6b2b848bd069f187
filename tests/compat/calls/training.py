"""Calls of optimizers, savers, training loops, summaries, saved models and helpers of contrib."""
from __future__ import annotations

# One step down from v = 1 along the gradient 2.
_STEP = "v = tf.Variable(1.)\nstep = {}.minimize(2. * v)\nrun(step)\nv"
_SAVED = "v = tf.Variable(3., name='v')\nready()\npath = tf.train.Saver().save(session, folder + '/m', global_step=7)\n"
_LOG = "open(__import__('glob').glob(folder + '/events*')[0], 'rb').read()"


def _step(optimizer: str) -> str:
    return _STEP.replace("{}", optimizer)


CALLS: dict[str, tuple[str, object]] = {
    "tf.train.GradientDescentOptimizer": (_step("_(.1, use_locking=False, name='G')"), .8),
    "tf.train.AdamOptimizer": (_step("_(learning_rate=.1, beta1=.9, beta2=.999, epsilon=1e-8)"), .9),
    "tf.train.AdamOptimizer.__init__": ("o = tf.train.AdamOptimizer(.1)\n_(o, .5)\no.get_name()", "Adam"),
    "tf.train.MomentumOptimizer": (_step("_(.1, momentum=.9, use_nesterov=True)"), .62),
    "tf.train.AdagradOptimizer": (_step("_(.1, initial_accumulator_value=.1)"), .9012270),
    "tf.train.RMSPropOptimizer": (_step("_(.1, decay=.9, momentum=0., epsilon=1e-10, centered=False)"), .8245879),
    "tf.train.AdadeltaOptimizer": (_step("_(1., rho=.95, epsilon=1e-8)"), .9995528),
    "tf.train.FtrlOptimizer": (
        _step("_(.1, learning_rate_power=-.5, initial_accumulator_value=.1, l1_regularization_strength=0.)"), .7450533),
    "tf.contrib.opt.ScipyOptimizerInterface": (
        "v = tf.Variable([3., 4.])\nready()\n_(tf.reduce_sum(v * v), method='L-BFGS-B',"
        " options={'maxiter': 100}).minimize(session)\nabs(run(v)) < 1e-3", [True, True]),
    "tf.train.ExponentialMovingAverage": (
        "v = tf.Variable(1.)\ne = _(decay=.5, num_updates=None, zero_debias=False)\nop = e.apply([v])\nready()\n"
        "run(v.assign(3.))\nrun(op)\ne.average(v)", 2),
    "tf.python.training.moving_averages": (
        "v = tf.Variable(1.)\n_.assign_moving_average(v, 3., .5, zero_debias=False)", 2),
    "tf.python.training.moving_averages.assign_moving_average": (
        "v = tf.Variable(1.)\n_(v, 3., .5, zero_debias=False)", 2),
    "tf.train.exponential_decay": ("_(1., 5, 10, .5, staircase=True)", 1),
    "tf.train.polynomial_decay": ("_(1., 5, 10, end_learning_rate=0., power=1., cycle=False)", .5),
    "tf.train.cosine_decay": ("_(1., 5, 10, alpha=0.)", .5),
    "tf.train.global_step": ("v = tf.train.get_or_create_global_step()\nready()\n_(session, v)", 0),
    "tf.train.get_global_step": ("v = tf.train.get_or_create_global_step()\n_() is v", True),
    "tf.train.get_or_create_global_step": ("_(graph=None).op.name", "global_step"),
    "tf.train.Saver": (
        "v = tf.Variable(3., name='v')\nready()\n"
        "s = _(var_list=[v], reshape=False, max_to_keep=2, keep_checkpoint_every_n_hours=1., name=None,"
        " restore_sequentially=False, saver_def=None, builder=None, defer_build=False,"
        " allow_empty=False, pad_step_number=True, save_relative_paths=True, filename=None)\n"
        "p = s.save(session, folder + '/m', global_step=7, latest_filename=None, meta_graph_suffix='meta',"
        " write_meta_graph=True, write_state=True)\nrun(v.assign(0.))\ns.restore(session, p)\n"
        "(run(v), p[-10:])", (3, "m-00000007")),
    "tf.train.latest_checkpoint": (_SAVED + "_(folder, latest_filename=None) == path", True),
    "tf.train.get_checkpoint_state": (_SAVED + "_(folder).model_checkpoint_path == path", True),
    "tf.train.checkpoint_exists": (_SAVED + "(_(path), _(path + 'x'))", (True, False)),
    "tf.train.import_meta_graph": (
        _SAVED + "with tf.Graph().as_default(), tf.Session() as s:\n"
        "    _(path + '.meta', clear_devices=True).restore(s, path)\n    got = s.run('v:0')\ngot", 3),
    "tf.train.export_meta_graph": (_SAVED + "_(filename=folder + '/x.meta', as_text=True).graph_def.node[0].name",
                                   "v/initial_value"),
    "tf.train.write_graph": ("tf.constant(1, name='c')\np = _(session.graph_def, folder, 'g.pbtxt', as_text=True)\n"
                             "'name: \"c\"' in open(p).read()", True),
    "tf.train.list_variables": (_SAVED + "_(path)", [("v", [])]),
    "tf.contrib.framework.list_variables": (_SAVED + "_(folder)", [("v", [])]),
    "tf.contrib.framework.load_checkpoint": (_SAVED + "_(path).get_tensor('v')", 3),
    "tf.python.training.training.NewCheckpointReader": (_SAVED + "_(path).get_variable_to_shape_map()", {"v": []}),
    "tf.train.init_from_checkpoint": (
        _SAVED + "with tf.Graph().as_default(), tf.Session() as s:\n    w = tf.get_variable('w', [])\n"
        "    _(folder, {'v': w})\n    s.run(tf.global_variables_initializer())\n    got = s.run(w)\ngot", 3),
    "tf.train.Supervisor": (
        "v = tf.Variable(3.)\nsv = _(graph=session.graph, logdir=folder, summary_op=None, save_model_secs=0,"
        " global_step=None)\nwith sv.managed_session() as s:\n    got = s.run(v), sv.should_stop(), sv.is_chief\ngot",
        (3, False, True)),
    "tf.contrib.training.HParams": ("h = _(a=1, b=[1., 2.])\nh.parse('a=3')\n(h.a, h.values()['b'])", (3, [1, 2])),
    # summaries
    "tf.summary.scalar": ("tf.Summary.FromString(run(_('s', 2., collections=None, family='f'))).value[0].tag", "f/f/s"),
    "tf.summary.histogram": ("tf.Summary.FromString(run(_('h', [1., 2.]))).value[0].histo.num", 2),
    "tf.summary.image": ("tf.Summary.FromString(run(_('i', np.ones([2, 3, 3, 1], np.float32), max_outputs=1)))"
                         ".value[0].tag", "i/image"),
    "tf.summary.audio": ("tf.Summary.FromString(run(_('a', np.ones([1, 9], np.float32), 8000, max_outputs=1)))"
                         ".value[0].tag", "a/audio"),
    "tf.summary.text": ("tf.Summary.FromString(run(_('t', tf.constant('x')))).value[0].tag", "t"),
    "tf.summary.merge": (
        "s = tf.summary.scalar('s', 2.)\ntf.Summary.FromString(run(_([s], collections=['c']))).value[0].simple_value",
        2),
    "tf.summary.merge_all": ("tf.summary.scalar('s', 2.)\n"
                             "tf.Summary.FromString(run(_(key='summaries', scope=None))).value[0].simple_value", 2),
    "tf.summary.FileWriter": (
        "w = _(folder, graph=session.graph, max_queue=10, flush_secs=120, graph_def=None, filename_suffix='.x')\n"
        "w.add_summary(run(tf.summary.scalar('told', 2.)), global_step=1)\nw.add_graph(session.graph)\nw.close()\n"
        f"b'told' in {_LOG}", True),
    "tf.train.SummaryWriter": (
        "w = _(folder, session.graph)\nw.add_summary(run(tf.scalar_summary('told', 2.)), 1)\nw.close()\n"
        f"b'told' in {_LOG}", True),
    "tf.scalar_summary": ("tf.Summary.FromString(run(_(['a', 'b'], [1., 2.]))).value[1].tag", "b"),
    "tf.histogram_summary": ("tf.Summary.FromString(run(_('h', [1., 2.]))).value[0].tag", "h"),
    "tf.image_summary": ("tf.Summary.FromString(run(_('i', np.ones([1, 3, 3, 1], np.float32), max_images=1)))"
                         ".value[0].tag", "i/image"),
    "tf.merge_summary": ("s = tf.scalar_summary('s', 2.)\ntf.Summary.FromString(run(_([s]))).value[0].tag", "s"),
    "tf.merge_all_summaries": ("s = tf.scalar_summary('s', 2.)\ntf.Summary.FromString(run(_())).value[0].tag", "s"),
    "tf.Summary": ("_(value=[tf.Summary.Value(tag='t', simple_value=1.)]).value[0].tag", "t"),
    "tf.Summary.Value": ("_(tag='t', simple_value=.5).simple_value", .5),
    "tf.contrib.tensorboard.plugins.projector": ("_.ProjectorConfig().embeddings.add().tensor_name", ""),
    "tf.contrib.tensorboard.plugins.projector.ProjectorConfig": ("c = _()\nc.embeddings.add().tensor_name = 'e'\n"
                                                                 "len(c.embeddings)", 1),
    "tf.contrib.tensorboard.plugins.projector.visualize_embeddings": (
        "p = tf.contrib.tensorboard.plugins.projector\nc = p.ProjectorConfig()\nc.embeddings.add().tensor_name = 'e'\n"
        "_(tf.summary.FileWriter(folder), c)\n'tensor_name: \"e\"' in open(folder + '/projector_config.pbtxt').read()",
        True),
    # saved models
    "tf.saved_model.builder.SavedModelBuilder": (
        "v = tf.Variable(3., name='v')\nready()\nb = _(folder + '/saved')\n"
        "b.add_meta_graph_and_variables(session, [tf.saved_model.tag_constants.SERVING], signature_def_map=None,"
        " clear_devices=True)\nb.save(as_text=False)\nwith tf.Graph().as_default(), tf.Session() as s:\n"
        "    tf.saved_model.loader.load(s, ['serve'], folder + '/saved')\n    got = s.run('v:0')\ngot", 3),
    "tf.saved_model.utils.build_tensor_info": ("_(tf.constant(1, name='c')).name", "c:0"),
    "tf.saved_model.tag_constants.SERVING": ("_", "serve"),
    "tf.saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY": ("_", "serving_default"),
    "tf.saved_model.signature_constants.CLASSIFY_INPUTS": ("_", "inputs"),
    "tf.saved_model.signature_constants.CLASSIFY_OUTPUT_CLASSES": ("_", "classes"),
    "tf.saved_model.signature_constants.CLASSIFY_METHOD_NAME": ("_", "tensorflow/serving/classify"),
    "tf.saved_model.signature_constants.PREDICT_METHOD_NAME": ("_", "tensorflow/serving/predict"),
    # nests
    "tf.contrib.framework.nest.map_structure": ("_(lambda x: x + 1, {'a': [1, 2]})", {"a": [2, 3]}),
    "tf.contrib.framework.nest.is_sequence": ("(_([1]), _('a'))", (True, False)),
    "tf.contrib.framework.nest.assert_same_structure": ("_([1, (2, 3)], [4, (5, 6)], check_types=True)", None),
}
