package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

// cached says what a session's LLDB has read from its index cache, and written there, for
// the symbol table and the debug information of Envoy.
type cached struct {
	SymbolsRead bool `json:"symbolTableLoadedFromCache"`
	SymbolsKept bool `json:"symbolTableSavedToCache"`
	IndexRead   bool `json:"debugInfoIndexLoadedFromCache"`
	IndexKept   bool `json:"debugInfoIndexSavedToCache"`
	Path        string
}

// cacheFile matches what LLDB's cache has: its entries, and when it was last cleaned up.
var cacheFile = regexp.MustCompile(`^llvmcache(-|\.timestamp$)`)

// cacheOf asks LLDB itself.
func cacheOf(t *testing.T, c *harness.Session, program string) cached {
	t.Helper()
	said := c.Command("statistics dump")
	var all struct{ Modules []cached }
	if err := json.Unmarshal([]byte(said[max(0, strings.Index(said, "{")):]), &all); err != nil {
		t.Fatalf("statistics dump: %v\n%.2000s", err, said)
	}
	for _, m := range all.Modules {
		if m.Path == program {
			return m
		}
	}
	t.Fatalf("statistics dump has no module %s", program)
	return cached{}
}

// showsLocals waits for the stop in main, and reads its variables.
func showsLocals(t *testing.T, s *harness.Story, c *harness.Session) {
	t.Helper()
	stop := c.Stopped(0)
	at(t, stop, "Envoy::MainCommon::main", mainPlace(s))
	if v := locals(c, stop.Frames[0].ID); len(v) < 3 || v[0].Name != "argc" {
		t.Errorf("the locals are %v", v)
	}
}

func TestTwoSessionsFillTheIndexCacheAtOnce(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		cache := filepath.Join(s.Dir, "cache")
		s.Variables = append(s.Variables, "XDG_CACHE_HOME="+cache)
		program, a := ownBuild(s)
		attributes := []harness.Attributes{a, s.Sample().With("program", program)}

		var both []*harness.Session
		for range attributes {
			c := s.Start()
			c.Initialize()
			both = append(both, c)
		}
		for i, c := range both {
			c.Attach(attributes[i])
		}
		for _, c := range both {
			c.Configure(mainPlace(s))
		}
		// One that has found nothing to read may find it when it would write, and does neither.
		symbols, index := 0, 0
		for _, c := range both {
			showsLocals(t, s, c)
			did := cacheOf(t, c, program)
			if did.SymbolsKept {
				symbols++
			}
			if did.IndexKept {
				index++
			}
		}
		if symbols == 0 || index == 0 {
			t.Errorf("%d sessions wrote the symbol table, %d the index", symbols, index)
		}
		t.Logf("%d sessions wrote the symbol table, %d the index", symbols, index)
		for _, c := range both {
			c.Disconnect()
		}

		// The next one reads what they have left.
		third := s.Start()
		third.Initialize()
		third.Attach(a)
		third.Configure(mainPlace(s))
		showsLocals(t, s, third)
		if did := cacheOf(t, third, program); !did.SymbolsRead || !did.IndexRead || did.SymbolsKept || did.IndexKept {
			t.Errorf("the third session: %+v", did)
		}
		third.Disconnect()

		files := 0
		err := filepath.WalkDir(cache, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() && filepath.Base(filepath.Dir(filepath.Dir(path))) == "lldb-index" {
				if files++; !cacheFile.MatchString(d.Name()) {
					t.Errorf("left over: %s", path)
				}
			}
			return err
		})
		if err != nil || files < 3 {
			t.Errorf("the cache has %d files, %v", files, err)
		}
	})
}

// clang's split DWARF 5 is how Envoy is built. LLDB that has its index from the cache finds the
// function by the name, and without help loses its variables.
func TestAFunctionOfAPackageHasItsVariablesWithTheIndexCache(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		s.Variables = append(s.Variables, "XDG_CACHE_HOME="+filepath.Join(s.Dir, "cache"))
		program := compileBy(s, "clang++-19", programs(), "envoy", "-gdwarf-5", "-gsplit-dwarf", "linkage.cc")
		run(s, s.Dir, "llvm-dwp-19", "-e", "envoy", "-o", "envoy.dwp")
		for _, read := range []bool{false, true} {
			c := s.Start()
			c.Initialize()
			c.Attach(s.Of(program))
			c.Seen(0, "initialized")
			c.Do("setFunctionBreakpoints", map[string]any{"breakpoints": []map[string]string{{"name": "main"}}}, nil)
			c.Do("configurationDone", nil, nil)
			isBehindThePrologue(t, c)
			if did := cacheOf(t, c, program); did.IndexRead != read {
				t.Errorf("%+v", did)
			}
			c.Disconnect()
		}
	})
}
