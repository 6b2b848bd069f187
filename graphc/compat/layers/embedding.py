"""contrib.layers' embeddings: of sequences, of bags of words, and look-ups that see each id once."""
from __future__ import annotations

from typing import Any

import graphc as gc
from graphc.api.public import public


@public("contrib.layers.embed_sequence")
def embed_sequence(ids: Any, vocab_size: int | None = None, embed_dim: int | None = None, unique: bool = False,
                   initializer: Any = None, regularizer: Any = None, trainable: bool = True, scope: Any = None,
                   reuse: Any = None) -> Any:
    """Rows of a trained table [vocab_size, embed_dim] by id, as `tf.contrib.layers.embed_sequence`. With reuse the
    sizes may be left out. Raises ValueError if they are not known otherwise.

    ids: int32 or int64 of any shape; the result is float32, [their shape, embed_dim]. Raises TypeError for other ids.

    >>> ids = gc.placeholder(gc.int32, [None, 5])
    >>> gc.contrib.layers.embed_sequence(ids, vocab_size=100, embed_dim=16)
    <gc.Tensor 'EmbedSequence/embedding_lookup/Identity:0' shape=(?, 5, 16) dtype=float32>
    """
    if not (reuse or (vocab_size and embed_dim)):
        raise ValueError("Must specify vocab size and embedding dimension when not reusing. Got "
                         f"vocab_size={vocab_size} and embed_dim={embed_dim}")
    with gc.variable_scope(scope, "EmbedSequence", [ids], reuse=reuse):
        shape = None if None in (vocab_size, embed_dim) else [vocab_size, embed_dim]
        table = gc.contrib.framework.model_variable("embeddings", shape, initializer=initializer,
                                                    regularizer=regularizer, trainable=trainable)
        return embedding_lookup_unique(table, ids) if unique else gc.nn.embedding_lookup(table, ids)


@public("contrib.layers.bow_encoder")
def bow_encoder(ids: Any, vocab_size: int, embed_dim: int, sparse_lookup: bool = True, initializer: Any = None,
                regularizer: Any = None, trainable: bool = True, scope: Any = None, reuse: Any = None) -> Any:
    """The mean of the embeddings of each row of ids, as `tf.contrib.layers.bow_encoder`. sparse_lookup: dense ids of 0
    stand for nothing; a row without ids counts as id 0.

    ids: int32 or int64 [batch, ids], dense or sparse; the result is float32 [batch, embed_dim]. Raises ValueError
    without a size, TypeError for other dtypes and for sparse ids without sparse_lookup; an id that is no row ends the
    run with InvalidArgumentError.

    >>> ids = gc.constant([[1, 2], [3, 0]], gc.int64)
    >>> table = gc.constant_initializer(np.arange(8.))
    >>> code = gc.contrib.layers.bow_encoder(ids, vocab_size=4, embed_dim=2, initializer=table)
    >>> gc.global_variables_initializer().run()
    >>> code.eval()
    array([[3., 4.],
           [6., 7.]], dtype=float32)
    """
    if not vocab_size or not embed_dim:
        raise ValueError("Must specify vocab size and embedding dimension")
    is_sparse = isinstance(ids, gc.SparseTensor)
    if is_sparse and not sparse_lookup:
        raise TypeError(f"ids are expected to be dense Tensor, got: {ids}")
    with gc.variable_scope(scope, "bow_encoder", [ids], reuse=reuse):
        table = gc.contrib.framework.model_variable("embeddings", [vocab_size, embed_dim], initializer=initializer,
                                                    regularizer=regularizer, trainable=trainable)
        if not sparse_lookup:
            return gc.reduce_mean(gc.nn.embedding_lookup(table, ids), axis=1)
        sparse = ids if is_sparse else gc.contrib.layers.dense_to_sparse(ids)
        return gc.nn.safe_embedding_lookup_sparse([table], sparse, combiner="mean", default_id=0)


@public("contrib.layers.embedding_lookup_unique")
def embedding_lookup_unique(params: Any, ids: Any, partition_strategy: str = "mod", name: str | None = None) -> Any:
    """gc.nn.embedding_lookup, where each id is looked up once however often it comes.

    ids: int32 or int64 of any shape; the result has the table's dtype, and its rows' shape after the ids'. Raises
    TypeError for other ids, ValueError for no table or an unknown partition_strategy; an id that is no row ends the run
    with InvalidArgumentError. As `tf.contrib.layers.embedding_lookup_unique`.

    >>> table = gc.constant([[0., 0.], [1., 10.], [2., 20.]])
    >>> gc.contrib.layers.embedding_lookup_unique(table, [2, 1, 2]).eval()
    array([[ 2., 20.],
           [ 1., 10.],
           [ 2., 20.]], dtype=float32)
    """
    with gc.name_scope(name, "EmbeddingLookupUnique", [params, ids]):
        ids = gc.convert_to_tensor(ids)
        unique_ids, where = gc.unique(gc.reshape(ids, [-1]))
        rows = gc.nn.embedding_lookup(params, unique_ids, partition_strategy)
        width = rows.get_shape()[1:]
        outputs = gc.reshape(gc.gather(rows, where), gc.concat([gc.shape(ids), gc.shape(rows)[1:]], 0))
        outputs.set_shape(ids.get_shape().concatenate(width))
        return outputs


@public("contrib.layers.safe_embedding_lookup_sparse")
def safe_embedding_lookup_sparse(embedding_weights: Any, sparse_ids: Any, sparse_weights: Any = None,
                                 combiner: str | None = None, default_id: Any = None, name: str | None = None,
                                 partition_strategy: str = "div", max_norm: Any = None) -> Any:
    """gc.nn.safe_embedding_lookup_sparse; the combiner is "mean" by default.

    Rows without ids give those of default_id, or zeros. sparse_ids: a SparseTensor [batch, ids] of int32 or int64;
    sparse_weights: one of numbers at the same places; the result is [batch, size of a row]. Raises ValueError without a
    table or for an unknown combiner or partition_strategy, TypeError for other ids; an id that is no row ends the run
    with InvalidArgumentError. As `tf.contrib.layers.safe_embedding_lookup_sparse`.

    >>> ids = gc.SparseTensor([[0, 0], [0, 1]], gc.constant([1, 2], gc.int64), [2, 2])
    >>> gc.contrib.layers.safe_embedding_lookup_sparse([gc.constant([[0., 0.], [1., 1.], [3., 5.]])], ids).eval()
    array([[2., 3.],
           [0., 0.]], dtype=float32)
    """
    return gc.nn.safe_embedding_lookup_sparse(embedding_weights, sparse_ids, sparse_weights, combiner or "mean",
                                              default_id, name, partition_strategy, max_norm)
