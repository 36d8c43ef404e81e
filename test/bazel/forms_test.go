package bazel

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// variant is a configuration of istio_proxy/.bazelrc and what its debug
// information is like.
type variant struct {
	name string
	// root is the compilation directory of what Bazel compiles.
	root string
	// actions is the working folder of an action that runs the compiler by
	// itself, OB being the output_base and N a number.
	actions string
	// external and out are the folders of other repositories' sources and of
	// what is made of them, REPO being a repository.
	external, out string
	versions      string // of DWARF
	checksums     bool
}

const (
	execroot = "/execroot/envoydbg_sample/"
	linux    = "OB/sandbox/linux-sandbox/N" + execroot
	external = "external/REPO/"
	out      = "bazel-out/k8-dbg/bin/external/REPO/"
)

var variants = []variant{
	{"gcc", "/proc/self/cwd/", linux, external, out, "4 5", false},
	{"clang", "/proc/self/cwd/", linux, external, out, "5", true},
	{"processwrapper", "/proc/self/cwd/", "OB/sandbox/processwrapper-sandbox/N" + execroot, external, out, "5", false},
	{"shm", "/proc/self/cwd/", "/dev/shm/bazel-sandbox.[0-9a-f]{64}/linux-sandbox/N" + execroot, external, out, "5", false},
	{"local", "/proc/self/cwd/", "OB" + execroot, external, out, "4", false},
	{"clang-local", "/proc/self/cwd/", "OB" + execroot, external, out, "4", false},
	{"fission", "/proc/self/cwd/", linux, external, out, "5", false},
	{"clang-fission", "/proc/self/cwd/", linux, external, out, "5", true},
	{"fission-dwarf4", "/proc/self/cwd/", "OB" + execroot, external, out, "4", false},
	{"relative", "./", linux, external, out, "5", true},
	{"sibling", "/proc/self/cwd/", linux, "../REPO/", "bazel-out/REPO/k8-dbg/bin/", "5", false},
}

// form is a way in which a file is named.
type form struct {
	name    string
	pattern *regexp.Regexp
}

// forms are those of one variant; each file it compiles has one of them.
func (v variant) forms(b built) []form {
	of := func(pattern, repo string) string { return strings.ReplaceAll(pattern, "REPO", repo) }
	var all []form
	for _, f := range [][2]string{
		{"workspace", "ROOTextensions/metadata_exchange/plugin.cc"},
		{"same path in two repositories", "ROOTsource/extensions/filters/(http/peer_metadata|network/tcp_proxy)/config.cc"},
		{"header through -iquote .", "ROOT./extensions/(common|metadata_exchange)/(join|plugin).h"},
		{"generated", "ROOTbazel-out/k8-dbg/bin/extensions/common/build_info.(cc|h)"},
		{"generated in a transition", "ROOTbazel-out/k8-dbg-ST-[0-9a-f]+/bin/extensions/common/legacy_flags.(cc|h)"},
		{"include prefix", "ROOTbazel-out/k8-dbg/bin/include/node/_virtual_includes/node/istio/node/node.h"},
		{"external", "ROOT" + of(v.external, "envoy") + "source/.*"},
		{"external include prefix", "ROOT" + of(v.out, "com_github_sample_ticks") + "_virtual_includes/headers/ticks/ticks.h"},
		{"external generated include prefix", "ROOT" + of(v.out, "com_github_sample_crc") + "_virtual_includes/version_headers/crc/version.h"},
		{"absolute", "ACTIONS" + of(v.external, "com_github_sample_ticks") + "(src/ticks.c|src/rate.c|include/ticks/ticks.h)"},
		{"copy in a build_tmpdir", "ACTIONS" + of(v.out, "com_github_sample_crc") + "crc.build_tmpdir/src/(./)?(crc.c|step.h)"},
	} {
		pattern := strings.NewReplacer("ROOT", v.root, "ACTIONS", v.actions).Replace(f[1])
		pattern = strings.ReplaceAll(pattern, ".", `\.`)
		pattern = strings.NewReplacer("OB/", regexp.QuoteMeta(b.outputBase)+"/", "/N/", "/[0-9]+/", `\.*`, ".*").Replace(pattern)
		all = append(all, form{f[0], regexp.MustCompile("^" + pattern + "$")})
	}
	return all
}

// unneeded are names of no use to anyone: the compiler's own, the system's, and
// a header without code, which only gcc names.
var unneeded = regexp.MustCompile(`^/usr/|<(built-in|stdin|command-line)>$|/com_github_sample_crc/include/crc/crc\.h$`)

func TestEachFormOfPathOccurs(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			b := build(t, v.name)
			seen := map[string]string{}
			forms := v.forms(b)
			for _, path := range sources(t, b.envoy) {
				if unneeded.MatchString(path) {
					continue
				}
				at := slices.IndexFunc(forms, func(f form) bool { return f.pattern.MatchString(path) })
				if at < 0 {
					t.Errorf("%s has none of the forms", path)
					continue
				}
				seen[forms[at].name] = path
			}
			for _, f := range forms {
				if seen[f.name] == "" {
					t.Errorf("%s: no file matches %v", f.name, f.pattern)
				}
				t.Logf("%-34s %s", f.name, strings.ReplaceAll(seen[f.name], b.outputBase, "OB"))
			}
		})
	}
}

// TestOneHeaderHasSeveralNames: the reason why pairs of prefixes do not do.
func TestOneHeaderHasSeveralNames(t *testing.T) {
	for name, want := range map[string]int{
		"gcc":   3, // two sandboxes, one _virtual_includes
		"local": 2, // one execroot
	} {
		var names []string
		for _, path := range sources(t, build(t, name).envoy) {
			if strings.HasSuffix(path, "/ticks/ticks.h") {
				names = append(names, path)
			}
		}
		if len(names) != want {
			t.Errorf("%s: %q, want %d", name, names, want)
		}
	}
}

func TestVersionsAndChecksums(t *testing.T) {
	for _, v := range variants {
		lines := dwarfdump(t, "--debug-line", build(t, v.name).envoy)
		versions := map[string]bool{}
		for _, match := range regexp.MustCompile(`(?m)^ *version: (\d)$`).FindAllStringSubmatch(lines, -1) {
			versions[match[1]] = true
		}
		if got := strings.Join(slices.Sorted(maps.Keys(versions)), " "); got != v.versions {
			t.Errorf("%s: DWARF %s, want %s", v.name, got, v.versions)
		}
		if got := strings.Contains(lines, "md5_checksum"); got != v.checksums {
			t.Errorf("%s: checksums %v, want %v", v.name, got, v.checksums)
		}
	}
}

// TestFission: the units in the program have neither name nor code's
// description, only where that is.
func TestFission(t *testing.T) {
	for name, want := range map[string]struct {
		attribute string // of the unit in the program
		packed    string // the version of the .dwp's index; none without .dwp
	}{
		"fission":        {"DW_AT_dwo_name", ""},
		"clang-fission":  {"DW_AT_dwo_name", "version = 5, units = 16"},
		"fission-dwarf4": {"DW_AT_GNU_dwo_name", "version = 2, units = 16"},
	} {
		b := build(t, name)
		skeletons := 0
		for _, match := range regexp.MustCompile(`(?m)`+want.attribute+`\s+\("(.*)"\)$`).FindAllStringSubmatch(dwarfdump(t, "--debug-info", b.envoy), -1) {
			skeletons++
			if _, err := os.Stat(filepath.Join(b.outputBase, "execroot/envoydbg_sample", match[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if skeletons != 16 {
			t.Errorf("%s: %d units with %s, want 16", name, skeletons, want.attribute)
		}
		if want.packed == "" {
			if _, err := os.Stat(b.envoy + ".dwp"); !os.IsNotExist(err) {
				t.Errorf("%s: there is an envoy.dwp (%v)", name, err)
			}
		} else if index := dwarfdump(t, "--debug-cu-index", b.envoy+".dwp"); !strings.Contains(index, want.packed) {
			t.Errorf("%s: envoy.dwp is not %q:\n%s", name, want.packed, index)
		}
	}
}

// sources are the names of all files in the line tables, joined with their
// folders and sorted.
func sources(t *testing.T, program string) []string {
	t.Helper()
	return strings.Fields(dwarfdump(t, "--show-sources", program))
}

func dwarfdump(t *testing.T, arguments ...string) string {
	t.Helper()
	command := exec.Command("llvm-dwarfdump-19", arguments...)
	var stderr strings.Builder
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatal(fmt.Errorf("%v: %w\n%s", command, err, stderr.String()))
	}
	return string(out)
}
