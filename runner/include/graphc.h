/* graphc: runs a saved graph. C ABI, version 1.
 *
 *   graphc_model* model;
 *   if (graphc_load_file("digits.pb", NULL, &model) != GRAPHC_OK) { puts(graphc_last_error()); return 1; }
 *   graphc_tensor x = {.dtype = 1, .rank = 2, .sizes = {32, 64}, .data = pixels};
 *   graphc_result* result;
 *   if (graphc_run(model, &x, 1, &result) != GRAPHC_OK) { puts(graphc_last_error()); return 1; }
 *   graphc_tensor y;
 *   graphc_result_output(result, 0, &y);          // y.data, y.sizes: valid until graphc_result_free
 *   graphc_result_free(result);
 *   graphc_model_free(model);
 *
 * Every size that the model leaves open (-1 in graphc_info.sizes) may differ from run to run. Tensors are contiguous and
 * row-major; their elements are what graphc_dtype says.
 *
 * Threads: all functions may be called from any thread. Runs of one model may overlap; if the model writes variables they take
 * turns. Nothing may use a model while or after it is freed. No function throws or exits; on failure the message is kept for
 * the calling thread. NULL where something is needed is such a failure: functions that count give -1, those that free or cancel
 * do nothing.
 *
 * Memory: all that is allocated for a model counts against its limit (graphc_options.memory_limit), the file while it is read
 * and the results included. Without a limit of the caller's it is three quarters of the smallest of the machine's memory and the
 * limits of the process' control groups (v2: memory.max, v1: memory.limit_in_bytes), and in addition loading a file of n bytes
 * may take no more than 64 MiB + 64 n, and the tables of one run neither; no file but a damaged or hostile one should come near.
 * Variables and what a run computes may be of any size within the limit. What passes the limit ends with
 * GRAPHC_RESOURCE_EXHAUSTED, and the model can be used as before.
 *
 * GPU: with graphc_options.gpu_code all of a model's runs are done on an NVIDIA GPU, by code that `graphc gpu` wrote for inputs of
 * given sizes: others are GRAPHC_INVALID_ARGUMENT, with a list of those that there are. libcuda.so.1 is opened by the first such
 * model, and by nothing else. The file is a program, to be trusted as one. Variables stay on the GPU from run to run; whoever
 * reads them here, or runs another signature on the CPU, sees them as they are. Runs on one GPU take turns; one that has begun is
 * not cancelled. The limit on memory is about the host's.
 *
 * Versions: functions and fields are only ever added at the end; graphc_abi_version() tells what the library has. Callers set
 * `size` of graphc_options to sizeof(graphc_options) as they know it: an older, smaller one is read as far as it goes.
 */
#ifndef GRAPHC_H
#define GRAPHC_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) && defined(GRAPHC_BUILDING)
#define GRAPHC_API __attribute__((visibility("default")))
#else
#define GRAPHC_API
#endif

#define GRAPHC_ABI_VERSION 1
#define GRAPHC_MAX_RANK 8

#ifdef __cplusplus
extern "C" {
#endif

/* The numbers are those of TensorFlow's error codes. */
typedef enum graphc_status {
  GRAPHC_OK = 0,
  GRAPHC_CANCELLED = 1,
  GRAPHC_UNKNOWN = 2,
  GRAPHC_INVALID_ARGUMENT = 3,     /* a feed that is missing or does not fit; sizes at odds; an index out of range */
  GRAPHC_NOT_FOUND = 5,            /* no such file, signature or name */
  GRAPHC_RESOURCE_EXHAUSTED = 8,   /* no memory, or the limit on it */
  GRAPHC_FAILED_PRECONDITION = 9,  /* a variable that has no value; a stale plan */
  GRAPHC_UNIMPLEMENTED = 12,       /* this machine, or something in the file, is not supported */
  GRAPHC_INTERNAL = 13,            /* a bug in graphc */
  GRAPHC_DATA_LOSS = 15            /* a damaged, foreign or newer file */
} graphc_status;

/* The kinds of elements, by TensorFlow's numbers. */
typedef enum graphc_dtype {
  GRAPHC_FLOAT32 = 1,
  GRAPHC_FLOAT64 = 2,
  GRAPHC_INT32 = 3,
  GRAPHC_UINT8 = 4,
  GRAPHC_INT16 = 5,
  GRAPHC_INT8 = 6,
  GRAPHC_STRING = 7,               /* a graphc_string */
  GRAPHC_COMPLEX64 = 8,            /* the real part, then the imaginary one, each a float32 */
  GRAPHC_INT64 = 9,
  GRAPHC_BOOL = 10,                /* a byte: 0 or 1; of an input anything but 0 counts as 1 */
  GRAPHC_BFLOAT16 = 14,            /* its 16 bits */
  GRAPHC_UINT16 = 17,
  GRAPHC_COMPLEX128 = 18,
  GRAPHC_FLOAT16 = 19,             /* its 16 bits */
  GRAPHC_UINT32 = 22,
  GRAPHC_UINT64 = 23
} graphc_dtype;

/* A loaded signature of a graph; what a run gave; what a host function was called for. */
typedef struct graphc_model graphc_model;
typedef struct graphc_result graphc_result;
typedef struct graphc_request graphc_request;

/* A string: any bytes, `size` of them. Of an input they are the caller's, NULL if there are none; of an output the result's, with
 * a NUL behind them that `size` does not count. Only inputs and outputs are strings, no variables. */
typedef struct graphc_string {
  const char* data;
  size_t size;
} graphc_string;

/* An array. `data` may be NULL if it has no elements; that of an input is only read, and need not be aligned. */
typedef struct graphc_tensor {
  int32_t dtype;                   /* a graphc_dtype */
  int32_t rank;                    /* how many of `sizes` count, 0 to GRAPHC_MAX_RANK */
  int64_t sizes[GRAPHC_MAX_RANK];
  void* data;
} graphc_tensor;

/* What the model says of an input, output or variable. The name belongs to the model. sizes: -1 where any size will do. */
typedef struct graphc_info {
  const char* name;
  int32_t dtype;
  int32_t rank;
  int64_t sizes[GRAPHC_MAX_RANK];
} graphc_info;

typedef struct graphc_options {
  size_t size;              /* sizeof(graphc_options) */
  const char* signature;    /* NULL: the file's first */
  const char* isa;          /* "x86-64-v3"; NULL: GRAPHC_ISA of the environment, else the best of this machine */
  int64_t memory_limit;     /* bytes this model may allocate in all; 0: the default, see Memory above */
  int32_t threads;          /* threads that work on a run, the caller included; 0: one a core. Only 1 and not 1 differ once
                               the process has its pool: the pool has as many workers as the first model asked for. */
  struct graphc_model* share;  /* a model of the same file, usually of another signature: this one has its variables (see
                               Variables below) and constants in common with it. NULL: variables of its own */
  const char* gpu_code;     /* a file that `graphc gpu` made of the model: runs are done on a GPU (see GPU below). NULL: on the CPU */
  int32_t gpu;              /* which GPU, from 0 on; without gpu_code it must be 0 */
} graphc_options;

/* GRAPHC_ABI_VERSION of the library. */
GRAPHC_API int32_t graphc_abi_version(void);
/* The library's version, such as "0.1.0". */
GRAPHC_API const char* graphc_version(void);
/* The message of the last function of this thread that failed; "" if none did. Valid until the thread's next call. */
GRAPHC_API const char* graphc_last_error(void);
/* Comma-separated instruction sets in this library, best first; those this machine cannot run are in brackets. */
GRAPHC_API const char* graphc_isas(void);

/* Load a signature of a graph: read, verify, and take what it needs. options: NULL for the usual ones. On failure *model is
 * NULL. GRAPHC_NOT_FOUND: no such file or signature, or no compiled plan in it; GRAPHC_DATA_LOSS: a damaged or newer file;
 * GRAPHC_FAILED_PRECONDITION: a plan of other nodes, or options.share of another file; GRAPHC_UNIMPLEMENTED: what this library
 * lacks, or this machine. */
GRAPHC_API graphc_status graphc_load_file(const char* path, const graphc_options* options, graphc_model** model);
/* The same from memory. `data` may be freed as soon as this returns. */
GRAPHC_API graphc_status graphc_load_memory(const void* data, size_t bytes, const graphc_options* options,
                                            graphc_model** model);
/* Frees the model; NULL is none. Results, and models that share its variables, live on. No other thread may be using it. */
GRAPHC_API void graphc_model_free(graphc_model* model);

/* What is fed, and what a run gives. */
GRAPHC_API int32_t graphc_input_count(const graphc_model* model);
GRAPHC_API int32_t graphc_output_count(const graphc_model* model);
GRAPHC_API graphc_status graphc_input_info(const graphc_model* model, int32_t index, graphc_info* info);
GRAPHC_API graphc_status graphc_output_info(const graphc_model* model, int32_t index, graphc_info* info);
/* Bytes allocated for the model and its results now. */
GRAPHC_API int64_t graphc_memory_used(const graphc_model* model);

/* Runs the model on `count` inputs in the order of graphc_input_info, and waits for the end. Inputs are only read. On failure
 * *result is NULL; else it must be freed. GRAPHC_INVALID_ARGUMENT: an input or a size that does not fit, an index out of range, an
 * assertion that does not hold; GRAPHC_RESOURCE_EXHAUSTED; GRAPHC_FAILED_PRECONDITION: a variable without a value;
 * GRAPHC_CANCELLED; what a host function returned. */
GRAPHC_API graphc_status graphc_run(graphc_model* model, const graphc_tensor* inputs, int32_t count, graphc_result** result);
/* Ends the runs of the model that are going on when it is called, on whatever threads, with GRAPHC_CANCELLED: those whose
 * graphc_run has been entered and has not returned, so also those that wait for their turn. They look between steps, between
 * tiles of a step and between turns of loops; one that is at its end may still succeed. A run that begins later is not
 * touched. Does not wait. Host functions may call it. */
GRAPHC_API void graphc_cancel(graphc_model* model);
/* The outputs of a run, in the order of graphc_output_info. `output->data` belongs to the result, which may outlive the model. */
GRAPHC_API int32_t graphc_result_count(const graphc_result* result);
GRAPHC_API graphc_status graphc_result_output(const graphc_result* result, int32_t index, graphc_tensor* output);
GRAPHC_API void graphc_result_free(graphc_result* result);

/* Variables: those that the file lists, in its order, with the values that it gives them (gc.export_model), then those that
 * only signatures know; one that is given no value has none until it is set, restored, or written by a run. A run of a training
 * signature changes them; one that fails changes nothing. Models that share variables (graphc_options.share) have one set of
 * them, and count their runs together; either may be freed first. What the first took counts against its limit on memory.
 *
 *   graphc_options options = {.size = sizeof options, .signature = "train"};
 *   graphc_load_file("model.pb", &options, &train);
 *   options.signature = "predict", options.share = train;
 *   graphc_load_file("model.pb", &options, &predict);           // sees what `train` does
 *
 * state_set copies a value of the variable's dtype and shape; state_get copies it to `data`, of just its `bytes`. Both wait for runs
 * that write it. */
GRAPHC_API int32_t graphc_state_count(const graphc_model* model);
GRAPHC_API graphc_status graphc_state_info(const graphc_model* model, int32_t index, graphc_info* info);
GRAPHC_API graphc_status graphc_state_set(graphc_model* model, int32_t index, const graphc_tensor* value);
GRAPHC_API graphc_status graphc_state_get(graphc_model* model, int32_t index, void* data, size_t bytes);

/* Functions that the graph calls (py_func), by the names that graphc_host_name gives: called by the thread that runs the model,
 * also by several at once. Outputs are made one by one with graphc_host_output, which gives the memory to fill, NULL if the plan
 * wants another dtype or rank or there is no memory. Anything but GRAPHC_OK ends the run with that status. They must not throw.
 * Of the model that calls them, and of those that share its variables, they may call graphc_cancel and the functions that
 * count and describe; what runs, writes or frees them is refused with GRAPHC_FAILED_PRECONDITION. */
typedef graphc_status (*graphc_host_function)(void* user, graphc_request* request, const graphc_tensor* inputs,
                                              int32_t input_count, int32_t output_count);
GRAPHC_API graphc_status graphc_set_host(graphc_model* model, const char* name, graphc_host_function function, void* user);
GRAPHC_API int32_t graphc_host_count(const graphc_model* model);
GRAPHC_API const char* graphc_host_name(const graphc_model* model, int32_t index);
GRAPHC_API void* graphc_host_output(graphc_request* request, int32_t index, int32_t dtype, int32_t rank, const int64_t* sizes);

/* Checkpoints of the variables that the file lists for them, in TensorFlow's format V2, as gc.train.Saver and tf.train.Saver
 * read and write it: PREFIX.index and PREFIX.data-00000-of-00001. What is saved is the state between two runs; each file is
 * written whole or not at all. Restoring changes all of these variables, or, if anything is missing or damaged, none. */
GRAPHC_API graphc_status graphc_save(const graphc_model* model, const char* prefix);
GRAPHC_API graphc_status graphc_restore(graphc_model* model, const char* prefix);
/* How many runs there were, the session's that wrote the file included: what random ops draw depends on it. No checkpoint holds
 * it; set it to go on with the numbers that an interrupted training would have drawn. */
GRAPHC_API int64_t graphc_run_count(const graphc_model* model);
GRAPHC_API graphc_status graphc_set_run_count(graphc_model* model, int64_t count);

/* The signatures in the model's file, in its order. The names belong to the model. */
GRAPHC_API int32_t graphc_signature_count(const graphc_model* model);
GRAPHC_API const char* graphc_signature_name(const graphc_model* model, int32_t index);

#ifdef __cplusplus
}
#endif
#endif
