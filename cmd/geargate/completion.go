package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

var shells = []string{"bash", "zsh", "fish"}

// completion prints what makes a shell complete our command line.
func completion(args []string, stdout, stderr io.Writer) int {
	if len(args) != 1 || !slices.Contains(shells, args[0]) {
		fmt.Fprintf(stderr, "geargate completion: expected one of %s, got %q\n", strings.Join(shells, ", "), args)
		return exitUsage
	}
	print := map[string]func(io.Writer){"bash": printBash, "zsh": printZsh, "fish": printFish}[args[0]]
	print(stdout)
	return exitOK
}

// candidates returns the words and flags that may stand behind a verb.
func (v *verb) candidates() []string {
	all := slices.Clone(v.words)
	for _, f := range v.allFlags() {
		all = append(all, "--"+f.name)
	}
	return all
}

// printBash writes a function that goes by the word before and by the verb.
func printBash(w io.Writer) {
	fmt.Fprint(w, `# bash completion for geargate, printed by: geargate completion bash
_geargate() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb=serve words=
    [[ $COMP_CWORD -gt 1 && ${COMP_WORDS[1]} != -* ]] && verb=${COMP_WORDS[1]}
    case $verb$prev in
`)
	for _, v := range verbs() {
		for _, f := range v.allFlags() {
			switch {
			case f.files:
				fmt.Fprintf(w, "    %s--%s) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return ;;\n", v.name, f.name)
			case f.argument != "":
				fmt.Fprintf(w, "    %s--%s) words=%s ;;\n", v.name, f.name, quote(strings.Join(f.words, " ")))
			}
		}
		fmt.Fprintf(w, "    %s*) words=%s ;;\n", v.name, quote(strings.Join(v.candidates(), " ")))
	}
	fmt.Fprintf(w, `    esac
    [[ $COMP_CWORD -eq 1 && $cur != -* ]] && words=%s
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _geargate geargate
`, quote(strings.Join(verbNames(everyVerb), " ")))
}

// printZsh writes a function for the directories of zsh's fpath.
func printZsh(w io.Writer) {
	fmt.Fprint(w, `#compdef geargate
# zsh completion for geargate, printed by: geargate completion zsh
local -a verbs
verbs=(
`)
	for _, v := range verbs() {
		fmt.Fprintf(w, "    %s\n", quote(v.name+":"+v.help))
	}
	fmt.Fprint(w, `)
local verb=serve
if [[ $words[2] != -* ]]; then
    if (( CURRENT == 2 )); then
        _describe verb verbs
        return
    fi
    verb=$words[2]
    shift words
    (( CURRENT-- ))
fi
case $verb in
`)
	for _, v := range verbs() {
		fmt.Fprintf(w, "%s) _arguments", v.name)
		for _, f := range v.allFlags() {
			fmt.Fprintf(w, " \\\n    %s", quote(f.zsh()))
		}
		if len(v.words) > 0 {
			fmt.Fprintf(w, " \\\n    %s", quote("*:"+v.name+":("+strings.Join(v.words, " ")+")"))
		}
		fmt.Fprintln(w, " ;;")
	}
	fmt.Fprintln(w, "esac")
}

// zsh returns the flag in the language of zsh's _arguments.
func (f *verbFlag) zsh() string {
	escape := strings.NewReplacer(":", `\:`, "[", `\[`, "]", `\]`)
	spec := "*--" + f.name + "[" + escape.Replace(f.help) + "]"
	if f.argument == "" {
		return spec
	}
	spec += ":" + escape.Replace(f.argument) + ":"
	switch {
	case f.files:
		spec += "_files"
	case len(f.words) > 0:
		spec += "(" + strings.Join(f.words, " ") + ")"
	}
	return spec
}

// printFish writes one command for each verb and each flag.
func printFish(w io.Writer) {
	fmt.Fprint(w, `# fish completion for geargate, printed by: geargate completion fish
function __geargate_verb
    set -l words (commandline -opc) serve
    string match -qr '^-' -- $words[2]; and set words[2] serve
    contains -- $words[2] $argv
end
complete -c geargate -f
`)
	for _, v := range verbs() {
		fmt.Fprintf(w, "complete -c geargate -n __fish_use_subcommand -a %s -d %s\n", v.name, quote(v.help))
		condition := quote("__geargate_verb " + v.name)
		for _, f := range v.allFlags() {
			fmt.Fprintf(w, "complete -c geargate -n %s -l %s%s -d %s\n", condition, f.name, f.fish(), quote(f.help))
		}
		for _, word := range v.words {
			kind := "-a "
			if long, ok := strings.CutPrefix(word, "--"); ok {
				kind, word = "-l ", long
			}
			fmt.Fprintf(w, "complete -c geargate -n %s %s%s\n", condition, kind, word)
		}
	}
}

// fish returns the options of fish's complete that say what the flag takes.
func (f *verbFlag) fish() string {
	switch {
	case f.argument == "":
		return ""
	case f.files:
		return " -r -F"
	}
	return " -x -a " + quote(strings.Join(f.words, " "))
}

// quote returns text as one word of any of the three shells. The texts of the
// list of verbs have no backslash.
func quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'"'"'`) + "'"
}
