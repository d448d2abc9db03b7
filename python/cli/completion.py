"""Completion of commands and options by shells: `arrayops completion bash|zsh|fish` writes a script for it.

The scripts are made of the parsers, so nothing is listed twice.
"""

import argparse
import re
from collections.abc import Mapping

HOW = {
    "bash": 'put eval "$(arrayops completion bash)" into ~/.bashrc',
    "zsh": 'put eval "$(arrayops completion zsh)" into ~/.zshrc',
    "fish": "arrayops completion fish > ~/.config/fish/completions/arrayops.fish",
}
BASH = """_arrayops() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} words
    if [ "$COMP_CWORD" = 1 ]; then
        COMPREPLY=($(compgen -W "{commands} help completion --help --version" -- "$word"))
        return
    fi
    case $word in -*) ;; *) COMPREPLY=($(compgen -f -- "$word")); return ;; esac
    case ${{COMP_WORDS[1]}} in
{cases}
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o filenames -F _arrayops arrayops
"""


def script(argv: list[str], commands: Mapping[str, argparse.ArgumentParser]) -> str:
    """The script for a shell; how to use it, if none is named or another one."""
    shell = argv[0] if argv else ""
    if shell in ("bash", "zsh"):
        cases = "\n".join(f"        {name}) words=\"{' '.join(options(one))}\" ;;" for name, one in commands.items())
        before = "autoload -U +X bashcompinit && bashcompinit\n" if shell == "zsh" else ""
        return before + BASH.format(commands=" ".join(commands), cases=cases)
    if shell == "fish":
        return "".join(line + "\n" for name, one in commands.items() for line in fish(name, one))
    return "usage: arrayops completion bash|zsh|fish\n\n" + "".join(f"{name}: {text}\n" for name, text in HOW.items())


def options(command: argparse.ArgumentParser) -> list[str]:
    """All options of a command, as its help lists them: `  -t TYPE, --type TYPE   what it is`."""
    heads = [line.strip().split("  ")[0] for line in command.format_help().splitlines() if line.startswith("  -")]
    return [option for head in heads for option in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", head)]


def fish(name: str, command: argparse.ArgumentParser) -> list[str]:
    """The command, with what it does, and its options."""
    lines = [f"complete -c arrayops -n __fish_use_subcommand -a {name} -d '{command.description}'"]
    for option in options(command):
        kind = f"-l {option[2:]}" if option.startswith("--") else f"-s {option[1:]}"
        lines.append(f"complete -c arrayops -n '__fish_seen_subcommand_from {name}' {kind}")
    return lines
