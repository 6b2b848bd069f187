"""Calls of files, records, parsing, queues and images."""
from __future__ import annotations

_PIXELS = "np.arange(48, dtype=np.uint8).reshape(4, 4, 3)"
_FLOATS = "np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)"
_EXAMPLE = ("e = tf.train.Example(features=tf.train.Features(feature={\n"
            "    'a': tf.train.Feature(int64_list=tf.train.Int64List(value=[7])),\n"
            "    'b': tf.train.Feature(bytes_list=tf.train.BytesList(value=[b'x'])),\n"
            "    'c': tf.train.Feature(float_list=tf.train.FloatList(value=[.5, 1.5]))}))\nx = e.SerializeToString()\n")
_FILE = "path = folder + '/f.txt'\nwith open(path, 'w') as f:\n    written = f.write('1,2\\n3,4\\n')\n"
_RECORDS = ("path = folder + '/r'\nwith tf.python_io.TFRecordWriter(path) as w:\n    w.write(b'one')\n"
            "    w.write(b'two')\n")
_QUEUES = ("def first(fetches):\n    ready()\n    c = tf.train.Coordinator()\n"
           "    threads = tf.train.start_queue_runners(sess=session, coord=c)\n    got = session.run(fetches)\n"
           "    c.request_stop()\n    c.join(threads)\n    return got\n")
_READ = f"{_FILE}{_QUEUES}q = tf.train.string_input_producer([path], num_epochs=None, shuffle=False)\n"

CALLS: dict[str, tuple[str, object]] = {
    # files
    "tf.gfile.GFile": ("with _(folder + '/a', mode='w') as f:\n    f.write('text')\n_(folder + '/a').read()", "text"),
    "tf.gfile.Open": (
        "with _(folder + '/a', 'wb') as f:\n    f.write(b'text')\n_(folder + '/a', 'rb').read()", b"text"),
    "tf.gfile.FastGFile": ("with _(folder + '/a', 'w') as f:\n    f.write('a\\nb')\n_(folder + '/a').readlines()",
                           ["a\n", "b"]),
    "tf.python.platform.gfile.FastGFile": ("_ is tf.gfile.FastGFile", True),
    "tf.gfile.Exists": ("(_(filename=folder), _(folder + '/none'))", (True, False)),
    "tf.gfile.MakeDirs": ("_(dirname=folder + '/a/b')\ntf.gfile.IsDirectory(folder + '/a/b')", True),
    "tf.gfile.IsDirectory": ("_(dirname=folder)", True),
    "tf.gfile.Remove": (_FILE + "_(filename=path)\ntf.gfile.Exists(path)", False),
    "tf.gfile.Rename": (_FILE + "_(oldname=path, newname=path + 'x', overwrite=True)\ntf.gfile.Exists(path + 'x')",
                        True),
    "tf.gfile.Glob": (_FILE + "_(filename=folder + '/*.txt') == [path]", True),
    "tf.gfile.DeleteRecursively": ("tf.gfile.MakeDirs(folder + '/a/b')\n_(dirname=folder + '/a')\n"
                                   "tf.gfile.Exists(folder + '/a')", False),
    "tf.read_file": (_FILE + "_(filename=path)", b"1,2\n3,4\n"),
    "tf.io.read_file": (_FILE + "_(path)", b"1,2\n3,4\n"),
    # records and parsing
    "tf.python_io.TFRecordWriter": (_RECORDS + "list(tf.python_io.tf_record_iterator(path))", [b"one", b"two"]),
    "tf.io.TFRecordWriter": ("_ is tf.python_io.TFRecordWriter", True),
    "tf.python_io.TFRecordOptions": (
        "o = _(tf.python_io.TFRecordCompressionType.ZLIB)\nwith tf.python_io.TFRecordWriter(folder + '/z', o) as w:\n"
        "    w.write(b'one')\nlist(tf.python_io.tf_record_iterator(folder + '/z', options=o))", [b"one"]),
    "tf.python_io.TFRecordCompressionType.NONE": ("_", 0),
    "tf.python_io.tf_record_iterator": (_RECORDS + "list(_(path=path, options=None))", [b"one", b"two"]),
    "tf.train.Example": (_EXAMPLE + "_.FromString(x).features.feature['a'].int64_list.value[0]", 7),
    "tf.train.Features": ("len(_(feature={}).feature)", 0),
    "tf.train.Feature": ("_(float_list=tf.train.FloatList(value=[.5])).float_list.value[0]", .5),
    "tf.train.Int64List": ("list(_(value=[1, 2]).value)", [1, 2]),
    "tf.train.FloatList": ("list(_(value=[.5]).value)", [.5]),
    "tf.train.BytesList": ("list(_(value=[b'a']).value)", [b"a"]),
    "tf.FixedLenFeature": (_EXAMPLE + "tf.parse_single_example(x, {'z': _([], tf.float32, default_value=2.)})['z']", 2),
    "tf.io.FixedLenFeature": ("_ is tf.FixedLenFeature", True),
    "tf.VarLenFeature": (_EXAMPLE + "tf.parse_single_example(x, {'c': _(tf.float32)})['c'].values", [.5, 1.5]),
    "tf.parse_single_example": (_EXAMPLE + "_(serialized=x, features={'a': tf.FixedLenFeature([], tf.int64)},"
                                " name=None, example_names=None)['a']", 7),
    "tf.io.parse_single_example": (_EXAMPLE + "_(x, features={'b': tf.FixedLenFeature([], tf.string)})['b']", b"x"),
    "tf.decode_csv": ("_(['1,x'], record_defaults=[[0], ['']], field_delim=',', use_quote_delim=True, na_value='',"
                      " select_cols=None)", [[1], [b"x"]]),
    "tf.io.decode_csv": ("_('1;2', [[0.], [0.]], field_delim=';')", [1, 2]),
    "tf.decode_raw": ("_(['ab'], out_type=tf.uint8, little_endian=True)", [[97, 98]]),
    # queues and readers
    "tf.FIFOQueue": ("q = _(capacity=3, dtypes=[tf.int32], shapes=[[]], names=None, shared_name=None)\n"
                     "run(q.enqueue_many([[1, 2]]))\n[run(q.dequeue()), run(q.size())]", [1, 1]),
    "tf.PaddingFIFOQueue": ("q = _(3, [tf.int32], shapes=[[None]])\nrun(q.enqueue([[1]]))\nrun(q.enqueue([[1, 2]]))\n"
                            "q.dequeue_many(2)", [[1, 0], [1, 2]]),
    "tf.RandomShuffleQueue": ("q = _(3, min_after_dequeue=0, dtypes=[tf.int32], shapes=[[]], seed=1)\n"
                              "run(q.enqueue(5))\nq.dequeue()", 5),
    "tf.train.Coordinator": ("c = _(clean_stop_exception_types=None)\nc.request_stop()\nc.should_stop()", True),
    "tf.train.QueueRunner": ("q = tf.FIFOQueue(3, [tf.int32])\n_(q, [q.enqueue([1])] * 2).name", "fifo_queue"),
    "tf.train.queue_runner.QueueRunner": ("_ is tf.train.QueueRunner", True),
    "tf.train.queue_runner.add_queue_runner": (
        f"{_QUEUES}q = tf.FIFOQueue(3, [tf.int32])\n_(tf.train.QueueRunner(q, [q.enqueue([8])]))\n"
        "first(q.dequeue())", 8),
    "tf.train.start_queue_runners": (_READ + "first(q.dequeue()) == path.encode()", True),
    "tf.train.string_input_producer": (
        f"{_QUEUES}first(_(['a'], num_epochs=1, shuffle=True, seed=1, capacity=2).dequeue())", b"a"),
    "tf.train.input_producer": (f"{_QUEUES}first(_([[1, 2]], element_shape=[2], shuffle=False).dequeue())", [1, 2]),
    "tf.train.slice_input_producer": (f"{_QUEUES}first(_([[5, 6], ['a', 'b']], shuffle=False))", [5, b"a"]),
    "tf.train.match_filenames_once": (_FILE + "run(_(folder + '/*.txt'))[0] == path.encode()", True),
    "tf.train.batch": (f"{_QUEUES}x = tf.train.slice_input_producer([[5, 6]], shuffle=False)\n"
                       "first(_(x, batch_size=2, num_threads=1, capacity=8, enqueue_many=False, dynamic_pad=False,"
                       " allow_smaller_final_batch=True))", [5, 6]),
    "tf.train.batch_join": (f"{_QUEUES}x = tf.train.slice_input_producer([[5, 6]], shuffle=False)\n"
                            "first(_([x], batch_size=2))", [5, 6]),
    "tf.train.shuffle_batch": (f"{_QUEUES}x = tf.train.slice_input_producer([[5, 5, 5]], shuffle=False)\n"
                               "first(_(x, 2, capacity=8, min_after_dequeue=2, seed=1))", [5, 5]),
    "tf.TextLineReader": (_READ + "first(_(skip_header_lines=1).read(q)[1])", b"3,4"),
    "tf.WholeFileReader": (_READ + "first(_().read(q).value)", b"1,2\n3,4\n"),
    "tf.FixedLengthRecordReader": (_READ + "first(_(record_bytes=3, header_bytes=1, footer_bytes=0).read(q)[1])",
                                   b",2\n"),
    "tf.TFRecordReader": (f"{_RECORDS}{_QUEUES}q = tf.train.string_input_producer([path])\nfirst(_().read(q)[1])",
                          b"one"),
    "tf.contrib.slim.prefetch_queue.prefetch_queue": (
        f"{_QUEUES}x = tf.train.batch(tf.train.slice_input_producer([[5, 6]], shuffle=False), 2)\n"
        "first(_([x], capacity=2).dequeue())", [5, 6]),
    "tf.contrib.slim.python.slim.queues": ("tf.constant(1)\nwith _.QueueRunners(session):\n    got = 1\ngot", 1),
    "tf.contrib.slim.python.slim.data.parallel_reader.get_data_files": (_FILE + "_(folder + '/*.txt') == [path]", True),
    "tf.contrib.slim.tfexample_decoder.TFExampleDecoder": (
        _EXAMPLE + "s = tf.contrib.slim.tfexample_decoder\n"
        "d = _({'a': tf.FixedLenFeature([], tf.int64)}, {'label': s.Tensor('a')})\n"
        "(d.list_items(), run(d.decode(tf.constant(x), ['label'])[0]))", (["label"], 7)),
    "tf.contrib.slim.tfexample_decoder.Tensor": ("_('a', shape_keys=None, shape=[1], default_value=0).keys", ["a"]),
    "tf.contrib.slim.tfexample_decoder.Image": (
        f"png = tf.image.encode_png({_PIXELS})\ni = _(image_key='k', format_key='f', shape=[4, 4, 3], channels=3)\n"
        "tf.shape(i.tensors_to_item({'k': png, 'f': tf.constant('png')}))", [4, 4, 3]),
    "tf.contrib.slim.tfexample_decoder.BoundingBox": (
        "b = _(['ymin', 'xmin', 'ymax', 'xmax'], 'box/')\n"
        "f = {'box/' + k: tf.constant([v]) for k, v in (('ymin', .1), ('xmin', .2), ('ymax', .3), ('xmax', .4))}\n"
        "b.tensors_to_item(f)", [[.1, .2, .3, .4]]),
    "tf.contrib.slim.dataset.Dataset": ("_(['f'], tf.TFRecordReader, None, 5, {}, num_classes=3).num_classes", 3),
    "tf.contrib.slim.dataset_data_provider.DatasetDataProvider": (
        f"{_EXAMPLE}{_QUEUES}with tf.python_io.TFRecordWriter(folder + '/r') as w:\n    w.write(x)\n"
        "s = tf.contrib.slim.tfexample_decoder\n"
        "d = s.TFExampleDecoder({'a': tf.FixedLenFeature([], tf.int64)}, {'label': s.Tensor('a')})\n"
        "p = _(tf.contrib.slim.dataset.Dataset([folder + '/r'], tf.TFRecordReader, d, 1, {}), num_readers=1,"
        " shuffle=False, common_queue_capacity=4, common_queue_min=1)\nfirst(p.get(['label'])[0])", 7),
    "tf.examples.tutorials.mnist.input_data": ("callable(_.read_data_sets)", True),
    "tf.examples.tutorials.mnist.input_data.read_data_sets": (
        "d = _(folder, fake_data=True, one_hot=True)\nlen(d.train.next_batch(3, fake_data=True)[0])", 3),
    "tf.contrib.learn": ("_.preprocessing.VocabularyProcessor(2).max_document_length", 2),
    "tf.contrib.learn.preprocessing.VocabularyProcessor": (
        "v = _(max_document_length=3, min_frequency=0, vocabulary=None, tokenizer_fn=None)\n"
        "list(v.fit_transform(['a b', 'b c']))", [[1, 2, 0], [2, 3, 0]]),
    "tf.contrib.learn.preprocessing.VocabularyProcessor.restore": (
        "v = tf.contrib.learn.preprocessing.VocabularyProcessor(2)\nv.fit(['a b'])\nv.save(folder + '/v')\n"
        "list(_(folder + '/v').transform(['b']))", [[2, 0]]),
    "tf.contrib.learn.python.learn.datasets.base.maybe_download": (
        _FILE + "_('f.txt', folder, 'http://nowhere.invalid/f.txt') == path", True),
    # images
    "tf.image.encode_png": (f"tf.image.decode_png(_({_PIXELS}, compression=-1))[0, 0]", [0, 1, 2]),
    "tf.image.encode_jpeg": (f"tf.shape(tf.image.decode_jpeg(_({_PIXELS}, quality=95)))", [4, 4, 3]),
    "tf.image.decode_png": (f"_(tf.image.encode_png({_PIXELS}), channels=1, dtype=tf.uint8)[3, 3]", [45]),
    "tf.image.decode_jpeg": (f"tf.shape(_(tf.image.encode_jpeg({_PIXELS}), channels=3, ratio=2,"
                             " fancy_upscaling=True))", [2, 2, 3]),
    "tf.image.decode_image": (f"_(tf.image.encode_png({_PIXELS}), channels=3, dtype=tf.uint8)[3, 3]", [45, 46, 47]),
    "tf.image.resize_images": (f"_({_FLOATS}, size=[2, 2], method=0, align_corners=False,"
                               " preserve_aspect_ratio=False)[0, :, :, 0]", [[0, 2], [8, 10]]),
    "tf.image.resize": (f"_({_FLOATS}, [2, 2])[0, :, :, 0]", [[0, 2], [8, 10]]),
    "tf.image.resize_bilinear": (f"_({_FLOATS}, [2, 2], align_corners=True)[0, :, :, 0]", [[0, 3], [12, 15]]),
    "tf.image.resize_nearest_neighbor": (f"_({_FLOATS}, [2, 2])[0, :, :, 0]", [[0, 2], [8, 10]]),
    "tf.image.resize_image_with_crop_or_pad": (f"_({_FLOATS}, 2, 6)[0, :, :, 0]",
                                               [[0, 4, 5, 6, 7, 0], [0, 8, 9, 10, 11, 0]]),
    "tf.image.ResizeMethod.BILINEAR": ("_", 0),
    "tf.image.ResizeMethod.NEAREST_NEIGHBOR": ("_", 1),
    "tf.image.ResizeMethod.BICUBIC": ("_", 2),
    "tf.image.ResizeMethod.AREA": ("_", 3),
    "tf.image.rgb_to_grayscale": ("_([[[100., 100., 100.]]])[0, 0] > 99.", [True]),
    "tf.image.grayscale_to_rgb": ("_([[[5.]]])", [[[5, 5, 5]]]),
    "tf.image.crop_to_bounding_box": (f"_({_FLOATS}, 1, 1, 2, 2)[0, :, :, 0]", [[5, 6], [9, 10]]),
    "tf.image.pad_to_bounding_box": ("_(np.ones([1, 1, 1, 1]), 1, 0, 2, 2)[0, :, :, 0]", [[0, 0], [1, 0]]),
    "tf.image.central_crop": (f"_({_FLOATS}, central_fraction=.5)[0, :, :, 0]", [[5, 6], [9, 10]]),
    "tf.image.flip_left_right": ("_([[[1.], [2.]]])", [[[2], [1]]]),
    "tf.image.random_flip_left_right": ("tf.reduce_sum(_([[[1.], [2.]]], seed=1))", 3),
    "tf.image.rot90": ("_([[[1.], [2.]]], k=1)", [[[2]], [[1]]]),
    "tf.image.convert_image_dtype": ("_(np.array([[[255]]], np.uint8), dtype=tf.float32, saturate=False)", [[[1]]]),
    "tf.image.per_image_standardization": ("_([[[1.], [3.]]])", [[[-1], [1]]]),
    "tf.image.per_image_whitening": ("_([[[1.], [3.]]])", [[[-1], [1]]]),
    "tf.image.adjust_brightness": ("_([[[.5]]], delta=.25)", [[[.75]]]),
    "tf.image.adjust_contrast": ("_([[[1.], [3.]]], contrast_factor=2.)", [[[0], [4]]]),
    "tf.image.adjust_saturation": ("_([[[.5, .5, .5]]], saturation_factor=2.)", [[[.5, .5, .5]]]),
    "tf.image.adjust_hue": ("_([[[1., 0., 0.]]], delta=1 / 3.)", [[[0, 1, 0]]]),
    "tf.image.random_brightness": ("_([[[.5]]], max_delta=0., seed=1)", [[[.5]]]),
    "tf.image.random_contrast": ("tf.shape(_([[[1.], [3.]]], lower=.5, upper=.6, seed=1))", [1, 2, 1]),
    "tf.image.random_saturation": ("tf.shape(_([[[1., .5, 0.]]], .5, .6, seed=1))", [1, 1, 3]),
    "tf.image.random_hue": ("tf.shape(_([[[1., .5, 0.]]], max_delta=.1, seed=1))", [1, 1, 3]),
    "tf.image.non_max_suppression": ("_([[0., 0., 1., 1.], [0., 0., 1., .9], [2., 2., 3., 3.]], [.9, .8, .7],"
                                     " max_output_size=3, iou_threshold=.5)", [0, 2]),
    "tf.image.draw_bounding_boxes": ("tf.shape(_(np.ones([1, 4, 4, 3], np.float32), [[[0., 0., 1., 1.]]]))",
                                     [1, 4, 4, 3]),
    "tf.image.sample_distorted_bounding_box": (
        "_([4, 4, 3], bounding_boxes=[[[0., 0., 1., 1.]]], seed=1, seed2=2, min_object_covered=.1,"
        " aspect_ratio_range=[1., 1.], area_range=[1., 1.], max_attempts=100, use_image_if_no_bounding_boxes=True)[1]",
        [4, 4, -1]),
}
