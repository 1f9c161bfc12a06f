package main

import (
	"strings"
	"testing"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// commandsOf lists a command and all below it.
func commandsOf(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		all = append(all, commandsOf(sub)...)
	}
	return all
}

func TestEveryCommandExplainsItself(t *testing.T) {
	for _, cmd := range commandsOf((&cli{}).root()) {
		path := cmd.CommandPath()
		if cmd.Short == "" || !unicode.IsUpper([]rune(cmd.Short)[0]) || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: short text %q", path, cmd.Short)
		}
		if cmd.Long == "" && cmd.Name() != "version" {
			t.Errorf("%s: no explanation", path)
		}
		if cmd.Example == "" && cmd.HasParent() && cmd.Name() != "version" {
			t.Errorf("%s: no example", path)
		}
		for line := range strings.Lines(cmd.Example) {
			if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "  wippy ") {
				t.Errorf("%s: example %q is no command", path, line)
			}
		}
		for line := range strings.Lines(cmd.Long) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > 80 {
				t.Errorf("%s: %d columns: %q", path, n, line)
			}
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s: no explanation", path, f.Name)
			}
			name, _ := pflag.UnquoteUsage(f)
			switch name {
			case "string", "strings", "stringArray", "int", "duration", "uint":
				t.Errorf("%s --%s takes a %s without a name: put it between backquotes", path, f.Name, name)
			}
		})
	}
}

// Every example is parsed as far as its flags, so that none names a flag that is gone.
func TestExamplesAreCommands(t *testing.T) {
	for _, cmd := range commandsOf((&cli{}).root()) {
		for line := range strings.Lines(cmd.Example) {
			words := strings.Fields(strings.NewReplacer(`"`, "", "'", "").Replace(line))
			if len(words) == 0 {
				continue
			}
			if i := strings.Index(strings.Join(words, " "), " > "); i >= 0 {
				words = strings.Fields(strings.Join(words, " ")[:i])
			}
			root := (&cli{}).root()
			found, rest, err := root.Find(words[1:])
			if err != nil || found.CommandPath() != cmd.CommandPath() && !strings.HasPrefix(found.CommandPath(), cmd.CommandPath()) {
				t.Errorf("%q: %v, %v", line, found.CommandPath(), err)
				continue
			}
			if err := found.ParseFlags(rest); err != nil {
				t.Errorf("%q: %v", line, err)
			}
		}
	}
}

func TestOverridesAreSplitAtTheirKeys(t *testing.T) {
	for text, want := range map[string][]string{
		"a:b:c=1":               {"a:b:c=1"},
		"a:b:c=1,d:e:f=2":       {"a:b:c=1", "d:e:f=2"},
		"a:b:c=1,2,3,d:e:f=x,y": {"a:b:c=1,2,3", "d:e:f=x,y"},
		"a:b:c=say \"hi\", you": {"a:b:c=say \"hi\", you"},
		"a:b:c=x=y,z:1":         {"a:b:c=x=y,z:1"},
		"a:b:c=,d:e:f=":         {"a:b:c=", "d:e:f="},
		`"a:b:c=1,d:e:f=2"`:     {"a:b:c=1,d:e:f=2"},
		`a:b:c=1,"d:e:f=2,3"`:   {"a:b:c=1", "d:e:f=2,3"},
		"nonsense":              {"nonsense"},
		"":                      {""},
	} {
		got, err := splitOverrides(text)
		if err != nil || strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
	if _, err := splitOverrides(`"a:b`); err == nil {
		t.Error("an open quote is accepted")
	}
}

func FuzzSplitOverrides(f *testing.F) {
	for _, s := range []string{"a:b:c=1,d:e:f=2", `"a:b:c=1,2"`, ",,", `a,"b`, "\"\n\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := splitOverrides(text)
		if err != nil {
			return
		}
		if !strings.Contains(text, `"`) && strings.Join(list, ",") != text {
			t.Errorf("%q became %q", text, list)
		}
	})
}
