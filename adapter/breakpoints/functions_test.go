package breakpoints

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestIdentifiersOfSymbols(t *testing.T) {
	for mangled, want := range map[string]string{
		"main":                               "main",
		"_Z3runv":                            "run",
		"_ZL3runv":                           "run",
		"_ZN5Envoy6Server3runEv":             "Envoy Server run",
		"_ZNK5Envoy6Server3runEi":            "Envoy Server run",
		"_ZN5EnvoyL3runEv":                   "Envoy run",
		"_ZN12_GLOBAL__N_13runEv":            "_GLOBAL__N_1 run",
		"_ZN5Envoy6ServerC1ERKi":             "Envoy Server Server",
		"_ZN5Envoy6ServerD0Ev":               "Envoy Server Server",
		"_ZNSt6vectorIiSaIiEE9push_backERKi": "vector push_back",
		"_ZN5Envoy3BoxISt4pairIiNS_6ServerEELi3EE3runEv":    "Envoy Box run",
		"_ZN5Envoy3BoxILb1EJiT_S0_EE3runEv":                 "Envoy Box run",
		"_ZSt4moveIRiEONSt16remove_referenceIT_E4typeEOS2_": "move",
		"_ZN5EnvoyplERKi":              "", // an operator
		"_ZZN5Envoy3runEvENKUlvE_clEv": "", // a lambda
		"_ZThn8_N5Envoy3runEv":         "",
		"_ZN99Envoy":                   "",
		"_ZN5Envoy":                    "",
		"_ZNS":                         "",
		"_Z":                           "",
	} {
		var got []string
		for _, id := range identifiers([]byte(mangled), nil) {
			got = append(got, string(id))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", mangled, got, want)
		}
	}
}

func FuzzIdentifiers(f *testing.F) {
	f.Add("_ZN5Envoy3BoxISt4pairIiNS_6ServerEELi3EE3runEv")
	f.Fuzz(func(t *testing.T, mangled string) { identifiers([]byte(mangled), nil) })
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// build runs g++ in a folder.
func build(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("g++", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("g++ %v: %v\n%s", args, err, out)
	}
}

func TestNearestFunctions(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "a")
	write(t, filepath.Join(dir, "a.cc"), `
namespace Envoy { namespace Server {
struct InstanceImpl { InstanceImpl() {} void initialize(int) {} void initialize(long) {} };
struct WorkerImpl { void initialize() {} };
template <class T> void runAll(T) {}
} }
extern "C" void plain_function() {}
int initializer;
int main() {
  Envoy::Server::InstanceImpl i; i.initialize(1); i.initialize(1L); Envoy::Server::WorkerImpl().initialize();
  Envoy::Server::runAll(1); Envoy::Server::runAll(1.0); plain_function();
}
`)
	build(t, dir, "-o", program, "a.cc")
	const instance, worker = "Envoy::Server::InstanceImpl::initialize", "Envoy::Server::WorkerImpl::initialize"
	for word, want := range map[string][]string{
		"initialise":                              {worker, instance},
		"InstanceImpl::initialise":                {instance, worker},
		"Envoy::Server::InstancImpl::initialise":  {instance, worker},
		"Envoy::Sever::InstanceImpl::initialize":  {instance, worker},
		"envoy::server::instanceimpl::initialize": {instance, worker},
		"InstanceImpl::initialise(int)":           {instance, worker},
		"InstanceImp":                             {"Envoy::Server::InstanceImpl::InstanceImpl"},
		"plain_fnction":                           {"plain_function"},
		"run_all":                                 {"Envoy::Server::runAll"},
		"nothing_of_the_kind":                     nil,
	} {
		got, known := nearestFunctions(t.Context(), program, word, 3)
		if !known || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", word, got, known, want)
		}
	}
	if out, err := exec.Command("strip", program).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got, _ := nearestFunctions(t.Context(), program, "initialise", 3); len(got) != 0 {
		t.Errorf("a stripped program has %v", got)
	}
}
