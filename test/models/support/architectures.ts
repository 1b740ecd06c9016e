import { VOCABULARY, type SparseModel, type SparseTensor } from './sparse-models.ts';

const WIDTH = 2_048;
const FEED_FORWARD = 6_144;
const HEADS = 16;
const KV_HEADS = 4;
const HEAD = 128;
const EXPERTS = 32;
const EXPERT_WIDTH = 512;
const LAYERS = 12;

const common = {
  context_length: 131_072,
  embedding_length: WIDTH,
  block_count: LAYERS,
  feed_forward_length: FEED_FORWARD,
  'attention.head_count': HEADS,
  'attention.head_count_kv': KV_HEADS,
  'attention.key_length': HEAD,
  'attention.value_length': HEAD,
  'attention.layer_norm_rms_epsilon': 1e-6,
  'rope.dimension_count': HEAD,
};

const ends: readonly SparseTensor[] = [
  ['token_embd.weight', [WIDTH, VOCABULARY]],
  ['output_norm.weight', [WIDTH]],
  ['output.weight', [WIDTH, VOCABULARY]],
];

const perLayer = (parts: (layer: number) => readonly SparseTensor[], layers = LAYERS): SparseTensor[] =>
  Array.from({ length: layers }, (_, layer) =>
    parts(layer).map(([name, ...rest]): SparseTensor => [`blk.${layer}.${name}`, ...rest]),
  ).flat();

const attention = (heads = HEADS): SparseTensor[] => [
  ['attn_norm.weight', [WIDTH]],
  ['attn_q.weight', [WIDTH, heads * HEAD]],
  ['attn_k.weight', [WIDTH, KV_HEADS * HEAD]],
  ['attn_v.weight', [WIDTH, KV_HEADS * HEAD]],
  ['attn_output.weight', [heads * HEAD, WIDTH]],
];
const headNorms: readonly SparseTensor[] = [
  ['attn_q_norm.weight', [HEAD]],
  ['attn_k_norm.weight', [HEAD]],
];
const dense: readonly SparseTensor[] = [
  ['ffn_norm.weight', [WIDTH]],
  ['ffn_gate.weight', [WIDTH, FEED_FORWARD]],
  ['ffn_up.weight', [WIDTH, FEED_FORWARD]],
  ['ffn_down.weight', [FEED_FORWARD, WIDTH]],
];
const experts: readonly SparseTensor[] = [
  ['ffn_norm.weight', [WIDTH]],
  ['ffn_gate_inp.weight', [WIDTH, EXPERTS], 'f32'],
  ['ffn_gate_exps.weight', [WIDTH, EXPERT_WIDTH, EXPERTS]],
  ['ffn_up_exps.weight', [WIDTH, EXPERT_WIDTH, EXPERTS]],
  ['ffn_down_exps.weight', [EXPERT_WIDTH, WIDTH, EXPERTS]],
];
const expertKeys = {
  expert_count: EXPERTS,
  expert_used_count: 4,
  expert_feed_forward_length: EXPERT_WIDTH,
};

/** Of each kind of cache that llama.cpp knows an architecture, as small as its kind allows. */
export const architectures: Readonly<Record<string, SparseModel>> = {
  llama: {
    architecture: 'llama',
    keys: common,
    tensors: [...ends, ...perLayer(() => [...attention(), ...dense])],
  },
  qwen3moe: {
    architecture: 'qwen3moe',
    keys: { ...common, ...expertKeys },
    tensors: [...ends, ...perLayer(() => [...attention(), ...headNorms, ...experts])],
  },
  gemma3: {
    architecture: 'gemma3',
    keys: { ...common, 'attention.sliding_window': 1_024 },
    tensors: [
      ...ends.slice(0, 2),
      ...perLayer(() => [
        ...attention(),
        ...headNorms,
        ['post_attention_norm.weight', [WIDTH]],
        ...dense,
        ['post_ffw_norm.weight', [WIDTH]],
      ]),
    ],
  },
  laguna: {
    architecture: 'laguna',
    keys: {
      ...common,
      ...expertKeys,
      expert_shared_feed_forward_length: EXPERT_WIDTH,
      leading_dense_block_count: 1,
      'attention.head_count': Array.from({ length: LAYERS }, (_, i) => (i % 4 === 0 ? HEADS : 2 * HEADS)),
      'attention.sliding_window': 512,
      'rope.dimension_count': 64,
    },
    tensors: [
      ...ends,
      ...perLayer((layer) => {
        const heads = layer % 4 === 0 ? HEADS : 2 * HEADS;
        return [
          ...attention(heads),
          ...headNorms,
          ['attn_gate.weight', [WIDTH, heads]],
          ...(layer === 0
            ? dense
            : [
                ...experts,
                ['exp_probs_b.bias', [EXPERTS]] as const,
                ['ffn_gate_shexp.weight', [WIDTH, EXPERT_WIDTH]] as const,
                ['ffn_up_shexp.weight', [WIDTH, EXPERT_WIDTH]] as const,
                ['ffn_down_shexp.weight', [EXPERT_WIDTH, WIDTH]] as const,
              ]),
        ];
      }),
    ],
  },
  'muse-glimmer': {
    architecture: 'muse-glimmer',
    keys: {
      ...common,
      'attention.sliding_window': 1_024,
      'attention.sliding_window_pattern': Array.from({ length: LAYERS }, (_, i) => i % 4 !== 3),
      logit_scale: 1,
    },
    tensors: [
      ...ends,
      ...perLayer(() => [
        ...attention(),
        ...headNorms,
        ['attn_gate.weight', [WIDTH, HEADS * HEAD]],
        ['post_attention_norm.weight', [WIDTH]],
        ...dense,
        ['post_ffw_norm.weight', [WIDTH]],
      ]),
    ],
  },
  lfm2: {
    architecture: 'lfm2',
    keys: {
      ...common,
      'attention.head_count_kv': Array.from({ length: LAYERS }, (_, i) => (i % 3 === 2 ? KV_HEADS : 0)),
      'attention.sliding_window': 512,
      'shortconv.l_cache': 3,
      vocab_size: VOCABULARY,
    },
    tensors: [
      ['token_embd.weight', [WIDTH, VOCABULARY]],
      ['token_embd_norm.weight', [WIDTH]],
      ...perLayer((layer) => [
        ...(layer % 3 === 2
          ? [...attention(), ...headNorms]
          : ([
              ['attn_norm.weight', [WIDTH]],
              ['shortconv.conv.weight', [3, WIDTH], 'f32'],
              ['shortconv.in_proj.weight', [WIDTH, 3 * WIDTH]],
              ['shortconv.out_proj.weight', [WIDTH, WIDTH]],
            ] as const)),
        ...dense,
      ]),
    ],
  },
};
