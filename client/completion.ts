import { Argument, type Command } from "commander";
import { print } from "./context.ts";

const shells = ["bash", "zsh", "powershell"] as const;

/** `completion SHELL`: a script that completes commands and flags, for the shell's start file. */
export function addCompletion(program: Command): void {
  program
    .command("completion")
    .addArgument(new Argument("<shell>", "which shell").choices(shells))
    .description("print a script that completes this command: source <(aci-proxy completion bash)")
    .action((shell: (typeof shells)[number]) =>
      print(shell === "powershell" ? powershell(program) : posix(program, shell)),
    );
}

/** What may follow each command; `""` stands for the command alone. */
function wordsOf(program: Command): ReadonlyMap<string, readonly string[]> {
  const words = new Map<string, readonly string[]>();
  const flags = (command: Command): readonly string[] => command.options.flatMap(({ long }) => long ?? []);
  const visit = (command: Command, path: string): void => {
    const own = command.commands.map((each) => each.name());
    words.set(path, [...own, ...flags(command), ...(path === "" ? [] : flags(program)), "--help"]);
    for (const each of command.commands) visit(each, path === "" ? each.name() : `${path} ${each.name()}`);
  };
  visit(program, "");
  return words;
}

function posix(program: Command, shell: "bash" | "zsh"): string {
  const cases = [...wordsOf(program)].map(([path, words]) => `    "${path}") words="${words.join(" ")}" ;;`);
  return `${shell === "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" : ""}_aci_proxy() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word words i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "$word" in
      -*) ;;
      *) case "\${path:+$path }$word" in ${knownPaths(program)}) path="\${path:+$path }$word" ;; esac ;;
    esac
  done
  case "$path" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ \${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- "$current"))
  return 0
}
complete -F _aci_proxy aci-proxy`;
}

function knownPaths(program: Command): string {
  return [...wordsOf(program).keys()]
    .filter((path) => path !== "")
    .map((path) => `"${path}"`)
    .join("|");
}

function powershell(program: Command): string {
  const entries = [...wordsOf(program)].map(
    ([path, words]) => `    '${path}' = @(${words.map((word) => `'${word}'`).join(", ")})`,
  );
  return `Register-ArgumentCompleter -Native -CommandName aci-proxy -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @{
${entries.join("\n")}
  }
  $path = ''
  foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {
    $next = if ($path) { "$path $element" } else { "$element" }
    if ($words.ContainsKey($next)) { $path = $next }
  }
  $words[$path] | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}`;
}
