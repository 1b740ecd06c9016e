import { expect } from 'chai';
import { exitFailure, type ProcessExit } from '../../../actors/process/exit-failure.ts';

const anExit = (over: Partial<ProcessExit>): ProcessExit => ({
  modelName: 'qwen',
  modelPath: '/m/qwen.gguf',
  binary: '/bin/llama-server',
  phase: 'loading',
  exitCode: 1,
  signal: null,
  isExpected: false,
  lines: [],
  ...over,
});

describe('the failure of a process', () => {
  for (const { title, exit, code, says } of [
    {
      title: 'a missing file',
      exit: {
        lines: [
          "llama_model_load: error loading model: failed to open GGUF file '/m/qwen.gguf' (No such file or directory)",
          'srv    load_model: failed to load model',
          'srv    main: exiting due to model loading error',
        ],
      },
      code: 'model_file_missing',
      says: /cannot be opened\. It said: .*No such file/,
    },
    {
      title: 'a file that was cut off',
      exit: {
        lines: [
          "gguf_init: tensor 'blk.1.ffn_up.weight' data is not within the file bounds, model is corrupted or incomplete",
          'srv    main: exiting due to model loading error',
        ],
      },
      code: 'model_file_invalid',
      says: /not within the file bounds/,
    },
    {
      title: 'why a model cannot be read, and not that it could not',
      exit: {
        lines: [
          'llama_model_load: error loading model: bert model needs to define token type count',
          'llama_model_load_from_file_impl: failed to load model',
          "srv    load_model: failed to load model, '/m/qwen.gguf'",
          'srv  llama_server: exiting due to model loading error',
        ],
      },
      code: 'model_file_invalid',
      says: /token type count$/,
    },
    {
      title: 'memory that ran out while loading',
      exit: {
        lines: ['alloc_tensor_range: failed to allocate CUDA0 buffer of size 123', 'error loading model'],
      },
      code: 'load_out_of_memory',
      says: /failed to allocate CUDA0/,
    },
    {
      title: 'memory that ran out while serving',
      exit: { phase: 'serving', lines: ['CUDA error: out of memory'] },
      code: 'out_of_memory',
      says: /while serving/,
    },
    {
      title: 'memory that could not be locked, which is no lack of it',
      exit: {
        lines: [
          'warning: failed to mlock 1021767680-byte buffer (after previously locking 0 bytes): Cannot allocate memory',
          "Try increasing RLIMIT_MEMLOCK ('ulimit -l' as root).",
          "llama_model_load: error loading model: error loading model architecture: unknown model architecture: 'zebra9000'",
          'main: exiting due to model loading error',
        ],
      },
      code: 'model_file_invalid',
      says: /unknown model architecture: 'zebra9000'$/,
    },
    {
      title: 'a crash long after memory could not be locked or pinned',
      exit: {
        phase: 'serving',
        exitCode: null,
        signal: 'SIGSEGV',
        lines: [
          'warning: failed to mlock 1021767680-byte buffer (after previously locking 0 bytes): Cannot allocate memory',
          'ggml_cuda_host_malloc: failed to allocate 512.00 MiB of pinned memory: out of memory',
          'srv    llama_server: listening on http://127.0.0.1:4000',
        ],
      },
      code: 'runner_crashed',
      says: /^qwen crashed: ended by SIGSEGV\.$/,
    },
    {
      title: 'the error of a device, and not where in the sources it was noticed',
      exit: {
        phase: 'serving',
        exitCode: null,
        signal: 'SIGABRT',
        lines: [
          'srv    llama_server: listening on http://127.0.0.1:4000',
          'srv  operator(): got exception: {"error":{"code":400,"message":"invalid request"}}',
          'CUDA error: an illegal memory access was encountered',
          '  current device: 0, in function ggml_backend_cuda_synchronize at ggml-cuda.cu:2964',
          '/src/ggml-cuda.cu:98: CUDA error',
          'libggml-base.so(+0x16c6b)[0x7f]',
        ],
      },
      code: 'runner_crashed',
      says: /It said: CUDA error: an illegal memory access was encountered$/,
    },
    {
      title: 'no error of a request where a crash is without words',
      exit: {
        phase: 'serving',
        exitCode: null,
        signal: 'SIGSEGV',
        lines: [
          'srv    llama_server: listening on http://127.0.0.1:4000',
          'srv  operator(): got exception: {"error":{"code":400,"message":"invalid request"}}',
        ],
      },
      code: 'runner_crashed',
      says: /^qwen crashed: ended by SIGSEGV\.$/,
    },
    {
      title: 'a shortage that llama.cpp got over',
      exit: { lines: ['failed to allocate compute buffers, retrying without pipeline parallelism', 'bye'] },
      code: 'load_failed',
      says: /It said: .*retrying|bye/,
    },
    {
      title: 'a crash that it said nothing of',
      exit: {
        phase: 'serving',
        exitCode: null,
        signal: 'SIGSEGV',
        lines: [
          'srv  llama_server: listening on http://127.0.0.1:34781',
          'main: starting the main loop...',
          'srv  update_slots: all slots are idle',
          'slot launch_slot_: id  3 | task 7 | processing task',
          'srv  log_server_r: done request: POST /v1/chat/completions 127.0.0.1 200',
        ],
      },
      code: 'runner_crashed',
      says: /^qwen crashed: ended by SIGSEGV\.$/,
    },
    {
      title: 'a crash that it spoke of before its last words',
      exit: {
        phase: 'serving',
        exitCode: 134,
        lines: [
          'slot update_slots: id  0 | task 1 | GGML_ASSERT(n_tokens > 0) failed',
          'Aborted (core dumped)',
          'srv  update_slots: all slots are idle',
        ],
      },
      code: 'runner_crashed',
      says: /exit code 134\. It said: slot .*GGML_ASSERT/,
    },
    {
      title: 'a kill by the system, which had no memory left',
      exit: { phase: 'serving', exitCode: null, signal: 'SIGKILL', wasMemoryShort: true },
      code: 'runner_crashed',
      says: /qwen crashed: killed by signal 9, not by Corral \(probably the system ran out of memory: it has ended processes for it\)\.$/,
    },
    {
      title: 'a kill by somebody, with memory left',
      exit: { phase: 'serving', exitCode: null, signal: 'SIGKILL', wasMemoryShort: false },
      code: 'runner_crashed',
      says: /qwen crashed: killed by signal 9, not by Corral\.$/,
    },
    {
      title: 'a kill where the system does not tell why',
      exit: { phase: 'serving', exitCode: null, signal: 'SIGKILL', wasMemoryShort: null },
      code: 'runner_crashed',
      says: /qwen crashed: killed by signal 9, not by Corral \(look into the system log/,
    },
    {
      title: 'a program that cannot be run',
      exit: { lines: ['execvp(3) failed.: No such file or directory'] },
      code: 'spawn_failed',
      says: /\/bin\/llama-server cannot be run/,
    },
    {
      title: 'an end that Corral asked for',
      exit: { isExpected: true, signal: 'SIGTERM', lines: ['error: whatever'] },
      code: 'stopped',
      says: /^qwen was unloaded\.$/,
    },
  ] as const)
    it(`tells ${title}`, () => {
      const failure = exitFailure(anExit(exit));

      expect(failure.code).to.equal(code);
      expect(failure.message).to.match(says);
    });
});
