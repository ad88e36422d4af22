/** `hatchery completion SHELL`: a script that completes commands and options, made of what there is. */
import { Argument, type Command } from 'commander';
import { EXIT_CODES } from './exit-codes.js';
import type { Terminal } from './terminal.js';

const EXAMPLES = `
Examples:
  source <(hatchery completion bash)
  hatchery completion bash > /etc/bash_completion.d/hatchery
  source <(hatchery completion zsh)`;

export function describeCompletion(
  command: Command,
  program: Command,
  terminal: Terminal,
  settle: (code: number) => void,
): void {
  command
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh']))
    .description('print a script that completes commands and options')
    .addHelpText('after', EXAMPLES)
    .action((shell: string) => {
      const script = shell === 'zsh' ? zshScript(program) : bashScript(program);
      terminal.result(script, { script });
      settle(EXIT_CODES.ok.code);
    });
}

/** What may come behind each command: `function deploy` and its options, for instance. */
function wordsOf(command: Command, path: string): [string, string[]][] {
  const options = command.options.flatMap(({ long }) => (long ? [long] : []));
  const commands = command.commands.map((child) => child.name());
  const children = command.commands.flatMap((child) =>
    wordsOf(child, `${path} ${child.name()}`.trim()),
  );
  return [[path, [...commands, ...options, '--help']], ...children];
}

function bashScript(program: Command): string {
  const cases = wordsOf(program, '').map(
    ([path, words]) => `    '${path}') words='${words.join(' ')}' ;;`,
  );
  const paths = wordsOf(program, '').map(([path]) => `    '${path}'`);
  return `# Completion of hatchery. Made by "hatchery completion"; source it.
_hatchery() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path='' next index words='' known
  local paths=(
${paths.join('\n')}
  )
  for ((index = 1; index < COMP_CWORD; index++)); do
    next="\${path:+$path }\${COMP_WORDS[index]}"
    for known in "\${paths[@]}"; do
      if [[ $known == "$next" ]]; then path="$next"; break; fi
    done
  done
  case "$path" in
${cases.join('\n')}
  esac
  if [[ $current != -* && $path != '' && " $words " != *" $current"* ]]; then
    COMPREPLY=($(compgen -f -- "$current"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -o filenames -F _hatchery hatchery`;
}

/** zsh runs bash's. */
function zshScript(program: Command): string {
  return `autoload -Uz compinit bashcompinit && compinit && bashcompinit\n${bashScript(program)}`;
}
