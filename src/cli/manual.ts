import type { Command } from 'commander';

/** A command line, and what it is good for. */
type Example = readonly [line: string, does: string];

/** Examples of the commands that do not bring their own. */
const examples: Readonly<Record<string, readonly Example[]>> = {
  serve: [
    ['corral serve', 'with the configuration that is found; without any, a small demonstration'],
    ['corral serve -c /etc/corral/corral.yaml', 'with this one'],
    ['corral serve --watch', 'and read it again whenever it changes'],
  ],
  check: [
    ['corral check', 'every mistake with its line, and what each model needs'],
    ['corral check --json | jq .models', 'for programs'],
  ],
  reload: [['corral reload', 'have the running Corral read its configuration again']],
  models: [
    ['corral models', 'all models, and their state if Corral runs'],
    ['corral models --discover', "what llama.cpp, Ollama and Hugging Face's tools keep here"],
  ],
  ps: [
    ['corral ps', 'devices, runners, and who waits for what'],
    ["corral ps --json | jq '.queue | length'", 'how many wait'],
  ],
  top: [
    ['corral top', 'live; q or Ctrl-C leaves'],
    ['corral top > picture.txt', 'one picture'],
  ],
  activity: [
    ['corral activity', 'the last 30 requests'],
    ['corral activity --model qwen-32b --csv -n 1000 > requests.csv', 'for a spreadsheet'],
  ],
  explain: [['corral explain qwen-32b', 'why it is loaded, waits, or is not loaded']],
  load: [
    ['corral load qwen-32b', 'with a progress bar; fails when the load fails'],
    ['corral load qwen-32b --json', 'for programs: its state once it is ready'],
  ],
  unload: [
    ['corral unload qwen-32b', 'running requests may finish first'],
    ['corral unload qwen-32b --force', 'at once'],
  ],
  pin: [['corral pin embedder', 'load it, and keep it until Corral is started again']],
  unpin: [
    ['corral unpin embedder', 'let it go again'],
    ['corral unpin embedder --keep-alive 1h', 'an hour after its last request'],
  ],
  pause: [
    ['corral pause', 'the GPUs are for something else; requests that need them wait'],
    ['corral pause CUDA0 --refuse', 'one of them, and requests that need it are refused'],
  ],
  resume: [
    ['corral resume', 'Corral has them back'],
    ['corral resume CUDA0', 'one of them'],
  ],
  stop: [
    ['corral stop runner-3', 'running requests may finish first'],
    ['corral stop runner-3 --force', 'at once'],
  ],
  logs: [
    ['corral logs qwen-32b', 'the last lines of its latest runner'],
    ['corral logs runner-3 -f', 'and go on until it has gone'],
  ],
  completion: [
    ['source <(corral completion bash)', 'for this shell; put the line into ~/.bashrc for all'],
    ['source <(corral completion zsh)', 'the same in ~/.zshrc'],
    ['corral completion fish > ~/.config/fish/completions/corral.fish', 'for fish'],
  ],
};

const REFERENCE = `
Environment:
  CORRAL_CONFIG    the configuration, where --config names none
  CORRAL_API_KEY   the key that commands show to a Corral that asks for one
  CORRAL_…         any setting: CORRAL_LISTEN_PORT is listen.port, and wins over the file

Files:
  ./corral.yaml, ~/.config/corral/corral.yaml    the configuration, the first that is there
  ~/.local/share/corral                          what Corral learns and writes (dataFolder)

Exit codes: 0 well, 1 failed, 2 a configuration that cannot be used`;

/** Gives each command examples, and what holds for all of them: environment, files, exit codes. */
export function addManual(program: Command): void {
  for (const command of program.commands) {
    const own = examples[command.name()];
    if (own) command.addHelpText('after', `\nExamples:\n${linesOf(own)}`);
    command.addHelpText('after', REFERENCE);
  }
  program.addHelpText('after', REFERENCE);
}

function linesOf(own: readonly Example[]): string {
  const width = Math.max(...own.map(([line]) => line.length));
  return own.map(([line, does]) => `  ${line.padEnd(width)}   ${does}`).join('\n');
}
