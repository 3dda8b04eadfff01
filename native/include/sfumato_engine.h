/*
 * The denoising core of Sfumato behind one C interface.
 *
 * An engine holds one model on one device and runs ragged denoising steps: a step is a list of work items over flat
 * token arrays, and every item may belong to another session, with its own length, seed, step and temperature. Logits
 * stay inside; what comes out is one candidate per requested position. Which candidates to accept is the caller's
 * decision.
 *
 * Threads: one engine belongs to one thread at a time. Different engines are independent. No function calls back, exits
 * or aborts.
 * Memory: everything is allocated by sfumato_open; plan and run allocate nothing.
 * Errors: every function that can fail returns a sfumato_status; sfumato_last_error has the message, of the form
 * "name: value (expected: ...)". After SFUMATO_INVALID_ARGUMENT the engine is unchanged and usable.
 */
#ifndef SFUMATO_ENGINE_H_
#define SFUMATO_ENGINE_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SFUMATO_API __attribute__((visibility("default")))
#else
#define SFUMATO_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Raised with every incompatible change of this header. */
#define SFUMATO_ABI_VERSION 5

/* Lengths of the fixed text fields of sfumato_info and sfumato_profile_entry, the terminating zero included. */
#define SFUMATO_NAME_CAPACITY 64
/* Length of sfumato_info.device_note, the terminating zero included. */
#define SFUMATO_NOTE_CAPACITY 512

/* Hard bounds that sfumato_open enforces on its options. */
#define SFUMATO_MAX_ITEMS 1024
#define SFUMATO_MAX_BATCH_TOKENS 1048576
#define SFUMATO_MAX_TOP_CANDIDATES 8
#define SFUMATO_MAX_TOKEN_LIST 16

typedef struct sfumato_engine sfumato_engine;

/* Where a model is computed. */
typedef enum sfumato_device {
  /* The GPU where there is one that can be used and neither an instruction set nor INT8 products are asked for, else the
   * CPU; sfumato_info.device_note says why. */
  SFUMATO_DEVICE_AUTO = 0,
  SFUMATO_DEVICE_CPU = 1,
  /* A GPU by CUDA, through libsfumato_cuda.so: beside this library, or where the environment's SFUMATO_CUDA_LIBRARY says.
   * sfumato_open answers FAILED_PRECONDITION with what is missing where it can't be used. */
  SFUMATO_DEVICE_CUDA = 2
} sfumato_device;

typedef enum sfumato_status {
  SFUMATO_OK = 0,
  /* An argument, an item or a token is out of range. Nothing was done. */
  SFUMATO_INVALID_ARGUMENT = 1,
  /* The model's family cannot do what was asked, e.g. PREFILL without a key-value cache. Nothing was done. */
  SFUMATO_FAILED_PRECONDITION = 2,
  /* A file of the model directory is missing. */
  SFUMATO_NOT_FOUND = 3,
  /* A file of the model directory is damaged or contradicts its config. */
  SFUMATO_DATA_LOSS = 4,
  /* Not enough memory for the weights or the buffers that the options ask for. */
  SFUMATO_RESOURCE_EXHAUSTED = 5,
  /* The model directory is well formed but its model_type or a feature of its config is not supported. */
  SFUMATO_UNIMPLEMENTED = 6,
  /* A fault of the engine or its device; close it. From then on every call answers INTERNAL with the first message. */
  SFUMATO_INTERNAL = 7
} sfumato_status;

/* Number format of the matrix products. Norms, attention sums and candidates are always computed in F32. */
typedef enum sfumato_product_type {
  /* The fastest format that keeps F32 accuracy: F32 on every CPU. */
  SFUMATO_PRODUCT_AUTO = 0,
  SFUMATO_PRODUCT_F32 = 1,
  /* Inputs and weights rounded to BF16, sums in F32, by AVX512_BF16; attention, norms and activations stay in F32.
   * On GPUs attention reads queries, keys and values in BF16 as well, and pages hold them so.
   * sfumato_open answers FAILED_PRECONDITION where the CPU or the instruction set lacks it. AUTO never chooses it: its
   * results differ from the reference by more than rounding in F32. Routers of experts stay in F32, and on CPUs heads that
   * soft embeddings are mixed out of. */
  SFUMATO_PRODUCT_BF16 = 2,
  /* Weights kept in 8 bits, each output's divided by a 127th of its largest magnitude; inputs rounded to 8 bits by groups
   * of 128 numbers of a row; sums of a group exact, groups added in F32. On every CPU, fastest with AVX512_VNNI or
   * AVX_VNNI. What BF16 leaves in F32 stays so. Never chosen by AUTO. */
  SFUMATO_PRODUCT_INT8 = 3,
  /* Weights kept as FP8 (E4M3 of the OCP's 8-bit formats), each output's divided by the least power of two that takes its
   * largest magnitude to 448 or less: a byte each. Inputs, keys, values and attention rounded as with BF16, sums in F32.
   * Routers of experts, and heads that soft embeddings are mixed out of, keep the weights of the file. On GPUs; sfumato_open
   * answers FAILED_PRECONDITION on a CPU, and DATA_LOSS for weights that are not finite or beyond 2^100. Never chosen by
   * AUTO. */
  SFUMATO_PRODUCT_FP8 = 4,
  /* As FP8, but weights are whole numbers of -8..7 times a scale, in BF16, for each group of 32 inner numbers of an output:
   * 4.5 bits each. Heads that FP8 rounds are kept in FP8. */
  SFUMATO_PRODUCT_INT4 = 5,
  /* As FP8, but dense products of attention and feed-forward layers round their inputs to E4M3 too, each row divided by the
   * least power of two that takes its largest magnitude to 448 or less. Experts' products, heads and attention are those of
   * FP8. Needs a GPU of compute capability 8.9 or more, else FAILED_PRECONDITION. */
  SFUMATO_PRODUCT_FP8_INPUTS = 6
} sfumato_product_type;

/* Instruction set of the CPU kernels. Anything but AUTO is for tests and comparisons; one that the CPU lacks answers
 * FAILED_PRECONDITION. */
typedef enum sfumato_instruction_set {
  SFUMATO_ISA_AUTO = 0,
  SFUMATO_ISA_PORTABLE = 1,
  SFUMATO_ISA_AVX2 = 2,
  SFUMATO_ISA_AVX512 = 3
} sfumato_instruction_set;

/* Which keys a canvas position sees. */
typedef enum sfumato_attention {
  /* Every position of its sequence. */
  SFUMATO_ATTENTION_FULL = 0,
  /* Every position of its own block and of all blocks before it. */
  SFUMATO_ATTENTION_BLOCK_CAUSAL = 1,
  /* A causal encoder over the context, a bidirectional canvas over the encoder's cache. PREFILL and COMMIT items are
   * causal, DENOISE items hold the canvas, at most sfumato_info.block_length tokens, right after the whole context.
   * diffusion_gemma: what a DENOISE item's distributions predict conditions the slot's next one, unless that is of step
   * 1; a row without a candidate is conditioned on its own token. nemotron_labs_diffusion: a row of a PREFILL or COMMIT
   * item is about the token after it, that of the last one about the first of the canvas that follows. */
  SFUMATO_ATTENTION_ENCODER_CANVAS = 2,
  /* FULL or BLOCK_CAUSAL, as the checkpoint was trained: its config does not say. */
  SFUMATO_ATTENTION_FULL_OR_BLOCK_CAUSAL = 3
} sfumato_attention;

typedef enum sfumato_item_kind {
  /* Runs context tokens and writes their keys and values to the item's pages. Needs
   * sfumato_info.has_key_value_cache or approximate_cache. */
  SFUMATO_ITEM_PREFILL = 0,
  /* Runs canvas tokens over the item's cached context; pages are read, never written. */
  SFUMATO_ITEM_DENOISE = 1,
  /* Runs finished tokens and writes their keys and values to the item's pages; tokens of a canvas may follow them. Needs
   * sfumato_info.has_key_value_cache or approximate_cache. */
  SFUMATO_ITEM_COMMIT = 2
} sfumato_item_kind;

/* Flag of an item: probabilities and entropies are those of the distribution after division by the temperature. Without
 * it they are those of the model's own distribution, and the temperature decides the sampled token only. */
#define SFUMATO_FLAG_TEMPERED_PROBABILITIES 1

/* Flag of an item: the model was trained so that its output at a position is about the token after it. A candidate's
 * logits are then those of the row before; at position 0, which has none, its own. The item must hold the row before:
 * row 0 is a candidate only where first_position is 0. */
#define SFUMATO_FLAG_SHIFTED_LOGITS 2

typedef struct sfumato_options {
  /* sizeof(sfumato_options) of the caller. */
  uint64_t struct_size;
  /* Directory in Hugging Face's layout: config.json, model.safetensors or model.safetensors.index.json with its
   * shards. */
  const char* model_directory;
  /* Worker threads, the caller's included: 1..256; 0 means one for each core that the process may use. */
  int32_t threads;
  /* A sfumato_product_type. */
  int32_t product_type;
  /* A sfumato_instruction_set. */
  int32_t instruction_set;
  /* Sessions that may keep state in the engine at the same time: 1..65536. */
  int32_t max_slots;
  /* Items of one step: 1..SFUMATO_MAX_ITEMS. */
  int32_t max_items;
  /* Tokens of one step, all items together: 1..SFUMATO_MAX_BATCH_TOKENS. */
  int32_t max_batch_tokens;
  /* Candidate rows of one step: 1..max_batch_tokens. */
  int32_t max_candidates;
  /* Tokens of one key-value page: 1..1024. */
  int32_t page_tokens;
  /* Key-value pages: 0..2^24. 0 for families without a cache. */
  int32_t max_pages;
  /* Alternatives that an item may ask for: 0..SFUMATO_MAX_TOP_CANDIDATES. */
  int32_t max_top_candidates;
  /* 1 lets items whose tokens all see each other write and read pages, where the family has such items: an approximation,
   * since the keys and values of a token then depend on all others, those that change later among them (the prefix and
   * dual caches of Fast-dLLM, arXiv 2505.22618). 0 refuses it. */
  int32_t approximate_cache;
  /* A sfumato_device. */
  int32_t device;
  /* Which of the machine's GPUs, as CUDA counts them: 0..63; 0 for the CPU. */
  int32_t device_ordinal;
  /* 1 measures the kernels of a GPU, one by one, for sfumato_profile: steps are then slower. CPUs always measure. */
  int32_t device_profile;
} sfumato_options;

typedef struct sfumato_info {
  /* sizeof(sfumato_info) of the caller. */
  uint64_t struct_size;
  /* Family of the model, e.g. "llada". */
  char family[SFUMATO_NAME_CAPACITY];
  /* Kernels in use, e.g. "avx2". */
  char instruction_set[SFUMATO_NAME_CAPACITY];
  /* Matrix products in use, e.g. "f32 packed panels"; on a GPU also how many matrices cuBLASLt takes, and its version. */
  char products[SFUMATO_NAME_CAPACITY];
  /* Token ids are 0..vocabulary-1. */
  int32_t vocabulary;
  int32_t hidden_size;
  int32_t layers;
  /* Positions are 0..max_positions-1. */
  int32_t max_positions;
  /* The id that the model was trained with for an undecided position; -1 when config.json names none. */
  int32_t mask_token_id;
  /* From config.json; -1 when it names none. */
  int32_t end_of_text_token_id;
  int32_t pad_token_id;
  /* A sfumato_attention. */
  int32_t attention;
  /* 1 when PREFILL and COMMIT items are possible whose pages hold what would be computed again: of whole blocks, or of a
   * causal encoder. */
  int32_t has_key_value_cache;
  /* 1 when PREFILL and COMMIT items are possible for tokens that all see each other, and following_tokens: the family
   * has such items and the engine was opened for them, with pages. */
  int32_t approximate_cache;
  /* 1 when the family's outputs want SFUMATO_FLAG_SHIFTED_LOGITS. */
  int32_t shifted_logits;
  /* Positions of a block that the model was trained with, from config.json; 0 when it names none. */
  int32_t block_length;
  int32_t threads;
  int64_t parameters;
  /* Bytes of the weights as the engine holds them, packed copies included. */
  int64_t weight_bytes;
  /* Bytes of pages, slot state and work space. */
  int64_t state_bytes;
  /* Of those, bytes of key-value pages. */
  int64_t page_bytes;
  /* "cpu", or "cuda:" with the GPU's number and name. */
  char device[SFUMATO_NAME_CAPACITY];
  /* Why AUTO took the CPU; empty for a device that was asked for, and for a GPU. */
  char device_note[SFUMATO_NOTE_CAPACITY];
  /* Of a GPU's memory: bytes that the engine took when it opened, all that it needs; that were free before; that there
   * are. 0 for the CPU. */
  int64_t device_bytes;
  int64_t device_free_bytes;
  int64_t device_total_bytes;
} sfumato_info;

/* One piece of work of a step. Offsets and counts refer to the arrays of sfumato_buffers. */
typedef struct sfumato_item {
  /* A sfumato_item_kind. */
  int32_t kind;
  /* Slot whose state the item uses: 0..max_slots-1. A slot may appear in several items of a step, in one of them as
   * anything but a guide. */
  int32_t slot;
  /* Absolute position of the first token; the others follow. first_position + token_count <= max_positions. */
  int32_t first_position;
  /* The item's tokens are tokens[token_offset .. token_offset + token_count). token_count >= 1. */
  int32_t token_offset;
  int32_t token_count;
  /* Positions for which candidates are wanted: candidate_rows[candidate_offset ..), each 0..token_count-1, strictly
   * ascending; a position may follow itself only with a token of its own in candidate_tokens. */
  int32_t candidate_offset;
  int32_t candidate_count;
  /* Pages of the slot's context in order: pages[page_offset ..). */
  int32_t page_offset;
  int32_t page_count;
  /* Tokens that the pages hold already, 0..first_position. The item's tokens see them and each other. */
  int32_t context_tokens;
  /* Coordinates of the randomness (Philox4x32-10 counter): block of the canvas from 0, step within the block from 1. */
  int32_t block;
  int32_t step;
  /* Philox key. */
  uint64_t seed;
  /* 0 takes the most probable token; else 1e-3..1e3, sampling by inverse CDF over ascending token ids. */
  float temperature;
  /* Classifier-free guidance (Ho and Salimans, 2022; LLaDA's generate.py): logits = u + (guidance_scale + 1) (c - u), c
   * from this item, u from the rows of item guidance_item at the same offsets. guidance_item: -1 for none, else a
   * DENOISE item of the same token_count. */
  int32_t guidance_item;
  float guidance_scale;
  /* SFUMATO_FLAG_... */
  int32_t flags;
  /* Alternatives per candidate: 0..max_top_candidates. */
  int32_t top_count;
  /* Tokens that are never chosen (their logits count as minus infinity): token_lists[suppressed_offset ..), at most
   * SFUMATO_MAX_TOKEN_LIST. */
  int32_t suppressed_offset;
  int32_t suppressed_count;
  /* Tokens that may be chosen but have no confidence: they are left out of the distribution that sampled_probability,
   * best_probability and second_probability are taken from, and have probability 0 there:
   * token_lists[unconfident_offset ..), at most SFUMATO_MAX_TOKEN_LIST. input_probability, entropy and alternatives are
   * those of the distribution with them. */
  int32_t unconfident_offset;
  int32_t unconfident_count;
  /* Which of the item's tokens see each other: 0 for all, else those of their own and of earlier blocks, where position p
   * belongs to block (p + block_offset) / block_length. All see the whole context. block_length: 0 for FULL families,
   * 1..max_positions for BLOCK_CAUSAL ones; 0 <= block_offset < block_length. Of a guide, that of the guided item. */
  int32_t block_length;
  int32_t block_offset;
  /* Leading tokens whose keys and values COMMIT writes: 1..token_count; those behind them are a canvas that sees them.
   * 0 for the other kinds; PREFILL writes all. What is written must end with a block; where all tokens see each other it
   * may end anywhere, and candidates may be among it. */
  int32_t commit_tokens;
  /* Tokens behind the item's last one that it sees in its pages, which hold them behind the context and as many tokens as
   * the item has: its own take the place of those. 0 but for DENOISE with sfumato_info.approximate_cache and block_length
   * 0; first_position + token_count + following_tokens <= max_positions. */
  int32_t following_tokens;
} sfumato_item;

/* The engine's own arrays, valid until sfumato_close. The caller fills the first group before sfumato_plan and reads
 * the second after sfumato_run. */
typedef struct sfumato_buffers {
  uint64_t struct_size;
  sfumato_item* items;     /* [max_items] */
  int32_t* tokens;         /* [max_batch_tokens] */
  int32_t* candidate_rows; /* [max_candidates] */
  /* [max_candidates] tokens whose probability input_probability tells; -1, as after sfumato_open, for the token that
   * stands at the position. */
  int32_t* candidate_tokens;
  int32_t* pages;       /* [pages_capacity] */
  int32_t* token_lists; /* [token_lists_capacity] */
  int64_t pages_capacity;
  int64_t token_lists_capacity;

  /* One entry per candidate row, in the order of candidate_rows. Probabilities 0..1, entropies in nats. */
  int32_t* sampled_token;     /* [max_candidates] the inverse-CDF draw; the most probable token at temperature 0 */
  float* sampled_probability; /* [max_candidates] */
  int32_t* best_token;        /* [max_candidates] the most probable token, the smallest id of equals */
  float* best_probability;    /* [max_candidates] */
  float* second_probability;  /* [max_candidates] probability of the runner-up */
  float* entropy;             /* [max_candidates] */
  float* input_probability;   /* [max_candidates] of the row's candidate_tokens */
  int32_t* top_tokens; /* [max_candidates, max_top_candidates] most probable first; -1 beyond the item's top_count */
  float* top_probabilities; /* [max_candidates, max_top_candidates] */
} sfumato_buffers;

typedef struct sfumato_profile_entry {
  /* Part of the step, e.g. "attention". */
  char name[SFUMATO_NAME_CAPACITY];
  int64_t calls;
  int64_t nanoseconds;
  /* Floating point operations of the part's products; 0 where there are none. */
  int64_t operations;
} sfumato_profile_entry;

/* SFUMATO_ABI_VERSION of the library. */
SFUMATO_API int32_t sfumato_abi_version(void);

/* Whether the device, a sfumato_device, can be used: OK, or FAILED_PRECONDITION with what is missing in
 * sfumato_last_error(NULL). Loads no model. device_ordinal: as in sfumato_options. */
SFUMATO_API sfumato_status sfumato_check_device(int32_t device, int32_t device_ordinal);

/* Fills the options with their defaults and struct_size. */
SFUMATO_API sfumato_status sfumato_default_options(sfumato_options* options);

/* Loads the model and allocates everything. On failure *engine is NULL and sfumato_last_error(NULL) of this thread says
 * why: all tensors that are missing or have another shape or type than the config demands are named at once. */
SFUMATO_API sfumato_status sfumato_open(const sfumato_options* options, sfumato_engine** engine);

/* How far a sfumato_open that another thread has called has come: bytes of tensors that it has read, 0..bytes_total, and
 * of those in its files. model_directory: as in its options. NOT_FOUND while none reads weights from there. May be called
 * from any thread. */
SFUMATO_API sfumato_status sfumato_load_progress(const char* model_directory, int64_t* bytes_read,
                                                 int64_t* bytes_total);

/* Facts about the loaded model. info->struct_size must be set. */
SFUMATO_API sfumato_status sfumato_get_info(const sfumato_engine* engine, sfumato_info* info);

/* The engine's arrays. buffers->struct_size must be set. */
SFUMATO_API sfumato_status sfumato_get_buffers(sfumato_engine* engine, sfumato_buffers* buffers);

/* Checks the first item_count items and everything they refer to, and lays out the step: 0..max_items. */
SFUMATO_API sfumato_status sfumato_plan(sfumato_engine* engine, int32_t item_count);

/* Runs the planned step. One plan can be run several times, also with other token ids in the same places (they are
 * checked again). */
SFUMATO_API sfumato_status sfumato_run(sfumato_engine* engine);

/* Runs the planned step and also copies out the logits of the candidate rows, before temperature, suppression and
 * guidance: logits[candidate, token], capacity in floats. For verification against a reference, not for serving. */
SFUMATO_API sfumato_status sfumato_run_logits(sfumato_engine* engine, float* logits, uint64_t capacity);

/* Copies what the family keeps per slot besides pages (the self-conditioning embedding); nothing for families that keep
 * nothing. */
SFUMATO_API sfumato_status sfumato_copy_state(sfumato_engine* engine, int32_t from_slot, int32_t to_slot);

/* Forgets what the family keeps for the slot. */
SFUMATO_API sfumato_status sfumato_reset_slot(sfumato_engine* engine, int32_t slot);

/* Time spent per part of the step, or per kernel of a GPU, since open or the last call with reset != 0. *count: capacity of entries on entry,
 * entries written on exit. */
SFUMATO_API sfumato_status sfumato_profile(sfumato_engine* engine, sfumato_profile_entry* entries, int32_t* count,
                                           int32_t reset);

/* Message of the last failed call on this engine; for NULL, of the last failed call of this thread that had no engine.
 * Never NULL; valid until the next call. */
SFUMATO_API const char* sfumato_last_error(const sfumato_engine* engine);

/* Frees everything. NULL is allowed. */
SFUMATO_API void sfumato_close(sfumato_engine* engine);

#ifdef __cplusplus
}
#endif

#endif  // SFUMATO_ENGINE_H_
