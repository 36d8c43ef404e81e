package paths

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/envoydbg/envoydbg/adapter/dapio"
)

// tree is Sources with two roots that hold the same files.
type tree struct{}

const (
	rootA = "/proc/self/cwd/"
	rootB = "/o/sandbox/linux-sandbox/7/execroot/ws/"
	here  = "/home/me/ws/"
)

func (tree) Local(p string) (Source, bool) {
	for _, root := range []string{rootA, rootB} {
		if rest, ok := strings.CutPrefix(p, root); ok {
			return Source{Path: here + rest, MD5: "d41d8cd98f00b204e9800998ecf8427e"}, true
		}
	}
	return Source{}, false
}

func (tree) Paths(local string) []string {
	rest, ok := strings.CutPrefix(strings.Replace(local, "/home/me/alias/", here, 1), here)
	if !ok {
		return nil
	}
	return []string{rootB + rest, rootA + rest}
}

func (t tree) Debugger(local string) []string {
	if strings.HasSuffix(local, "main.cc") { // a base name is not asked for
		return t.Paths(local)
	}
	if rest, ok := strings.CutPrefix(strings.Replace(local, "/home/me/alias/", here, 1), here); ok {
		return []string{rest}
	}
	return nil
}

func (tree) Ending(string) []string                       { return nil }
func (tree) Short(file string) string                     { return file }
func (tree) Nearest(string, int) []string                 { return nil }
func (tree) Lines(context.Context, string) ([]int, error) { return nil, nil }
func (tree) SymbolFile() string                           { return "" }

func (tree) Changed(string) (Change, bool) { return Change{}, false }
func (tree) Summary() string               { return "" }
func (tree) Forward() [][2]string          { return nil }
func (tree) DebugDir() string              { return "" }

func ready() *Rewriter {
	w := NewRewriter(func(string, Change) {})
	w.Use(tree{})
	return w
}

func message(t testing.TB, text string) *dapio.Message {
	t.Helper()
	m, err := dapio.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Frames whose source is not here are subdued.
func TestFramesShowTheLocalFileAndKeepAllElse(t *testing.T) {
	thisFile, err := filepath.Abs("rewrite_test.go")
	if err != nil {
		t.Fatal(err)
	}
	got := ready().Answer(message(t, `{"seq":1,"type":"response","command":"stackTrace","body":{"stackFrames":[`+
		`{"id":1,"x":0.50,"source":{"name":"a.cc","path":"/proc/self/cwd/source/a.cc"},"line":3},`+
		`{"id":2,"source":{"path":"/usr/include/nothing/vector"}},{"id":3},`+
		`{"id":4,"source":{"name":"_start","path":"/proc/self/cwd/envoy`+"`"+`_start","sourceReference":1}},`+
		`{"id":5,"source":{"path":"`+thisFile+`"}}],"totalFrames":5}}`))
	want := `{"seq":1,"type":"response","command":"stackTrace","body":{"stackFrames":[` +
		`{"id":1,"x":0.50,"source":{"checksums":[{"algorithm":"MD5","checksum":"d41d8cd98f00b204e9800998ecf8427e"}],"name":"a.cc","path":"/home/me/ws/source/a.cc"},"line":3},` +
		`{"presentationHint":"subtle","id":2,"source":{"presentationHint":"deemphasize","path":"/usr/include/nothing/vector"}},` +
		`{"presentationHint":"subtle","id":3},` +
		`{"presentationHint":"subtle","id":4,"source":{"presentationHint":"deemphasize","name":"_start","path":"/proc/self/cwd/envoy` + "`" + `_start","sourceReference":1}},` +
		`{"id":5,"source":{"path":"` + thisFile + `"}}],"totalFrames":5}}`
	if string(got.Raw) != want {
		t.Errorf("got  %s\nwant %s", got.Raw, want)
	}
}

func TestTheEditorsOwnSpellingComesBack(t *testing.T) {
	w := ready()
	if got := w.ToDebugger("/home/me/alias/source/a.cc", Sources.Debugger); len(got) != 1 || got[0] != "source/a.cc" {
		t.Fatalf("asked for %q", got)
	}
	got := w.Answer(message(t, `{"seq":1,"type":"response","command":"stackTrace","body":{"stackFrames":[{"source":{"path":"/proc/self/cwd/source/a.cc"}}]}}`))
	if path := got.Get("body.stackFrames.0.source.path").String(); path != "/home/me/alias/source/a.cc" {
		t.Errorf("the editor gets %s", path)
	}
}

// edited is a tree all of whose files have changed.
type edited struct{ tree }

func (edited) Changed(string) (Change, bool) { return Change{}, true }

// A file of several paths is still one, also after a rebuild has made another map.
func TestAChangedFileIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan string, 10)
		w := NewRewriter(func(local string, _ Change) { told <- local })
		for range 2 {
			w.Use(edited{})
			for _, p := range []string{rootA + "a.cc", rootB + "a.cc", rootA + "b.cc"} {
				w.ToEditor(p)
			}
		}
		synctest.Wait()
		close(told)
		var got []string
		for local := range told {
			got = append(got, local)
		}
		slices.Sort(got)
		if !slices.Equal(got, []string{here + "a.cc", here + "b.cc"}) {
			t.Errorf("told of %v", got)
		}
	})
}

func TestEveryMessageWithAPathIsRewritten(t *testing.T) {
	const path = `{"path":"/proc/self/cwd/a.cc"}`
	for name, body := range map[string]string{
		"setFunctionBreakpoints": `{"breakpoints":[{"source":` + path + `}]}`,
		"loadedSources":          `{"sources":[` + path + `]}`,
		"scopes":                 `{"scopes":[{"source":` + path + `}]}`,
		"disassemble":            `{"instructions":[{"location":` + path + `}]}`,
		"locations":              `{"source":` + path + `}`,
		"variables":              `{"variables":[{"$__lldb_extensions":{"declaration":` + path + `}}]}`,
		"loadedSource":           `{"source":` + path + `}`,
		"output":                 `{"source":` + path + `}`,
		"compileUnits":           `{"compileUnits":[{"compileUnitPath":"/proc/self/cwd/a.cc"}]}`,
	} {
		got := string(ready().Answer(message(t, `{"type":"response","command":"`+name+`","body":`+body+`}`)).Raw)
		if !strings.Contains(got, here+"a.cc") || strings.Contains(got, "/proc/self/cwd") {
			t.Errorf("%s: %s", name, got)
		}
	}
	for _, name := range []string{"breakpointLocations", "gotoTargets", "source"} {
		got := ready().Request(message(t, `{"type":"request","command":"`+name+`","arguments":{"source":{"path":"/home/me/ws/a.cc"}}}`))
		if p := got.Get("arguments.source.path").String(); p != rootB+"a.cc" {
			t.Errorf("%s asks for %s", name, p)
		}
	}
}

func BenchmarkRewriteStackTraceOf100Frames(b *testing.B) {
	var frames []string
	for i := range 100 {
		frames = append(frames, fmt.Sprintf(`{"column":%d,"id":%d,"instructionPointerReference":"0x55D0C2E1F%03X","line":%d,"moduleId":"5E1A","name":"Envoy::Server::InstanceImpl::initialize(Envoy::Server::Options const&, unsigned long)","source":{"name":"server.cc","path":"/proc/self/cwd/external/envoy/source/server/file%d.cc"}}`, i, i, i, i, i%40))
	}
	m := message(b, `{"body":{"stackFrames":[`+strings.Join(frames, ",")+`],"totalFrames":100},"command":"stackTrace","request_seq":9,"seq":0,"success":true,"type":"response"}`)
	w := ready()
	b.SetBytes(int64(len(m.Raw)))
	for b.Loop() {
		w.Answer(m)
	}
}
