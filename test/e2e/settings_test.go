package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/test/support/harness"
)

// The places for a user's own LLDB commands. All but the first are attributes.
const (
	inLLDBInit = "~/.lldbinit"
	inInit     = "initCommands"
	inPreRun   = "preRunCommands"
	inPostRun  = "postRunCommands"
)

// user starts an adapter for somebody who has these commands in one of the places,
// and returns it with the attributes that go with it.
func user(s *harness.Story, a harness.Attributes, place string, commands ...string) (*harness.Session, harness.Attributes) {
	s.T.Helper()
	if place != inLLDBInit {
		return s.Start(), a.With(place, commands)
	}
	home := filepath.Join(s.Dir, "home")
	err := os.MkdirAll(home, 0o700)
	if err == nil {
		err = os.WriteFile(filepath.Join(home, ".lldbinit"), []byte(strings.Join(commands, "\n")+"\n"), 0o600)
	}
	if err != nil {
		s.T.Fatal(err)
	}
	trace := filepath.Join(s.Dir, "trace")
	c := s.StartCommand(trace, "env", "HOME="+home, harness.The.Envoydbg, "dap", "--log", trace, "--lldb-dap", s.LLDB.DAP)
	return c, a
}

// Everything that has been seen to break an attach, docs/lldb.md.
func TestNoCommandOfTheUsersPreventsTheStartup(t *testing.T) {
	quiet := []string{
		"settings set target.process.stop-on-exec false",
		"process handle --stop false --notify false --pass false SIGSTOP",
		"process handle --stop false SIGTRAP",
	}
	for name, row := range map[string]struct {
		place    string
		commands []string
	}{
		"stops that are none, init file":    {inLLDBInit, quiet},
		"stops that are none, preRun":       {inPreRun, quiet},
		"another language, coloured output": {inInit, []string{"settings set target.language c", "settings set use-color true"}},
		"another platform":                  {inInit, []string{"platform select remote-linux"}},
		"another target":                    {inInit, []string{"platform select host", "target create /bin/true"}},
		"another platform, preRun":          {inPreRun, []string{"platform select host"}},
		"no platform, preRun":               {inPreRun, []string{"platform disconnect"}},
	} {
		t.Run(name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, s *harness.Story) {
				c, a := user(s, s.Sample().With("breakpointPresets", []string{"main"}), row.place, row.commands...)
				c.Initialize()
				c.Attach(a)
				c.Configure(serverPlace(s))
				stop := c.Stopped(0)
				at(t, stop, "Envoy::MainCommon::main", mainPlace(s))
				c.Step("continue", stop)
				at(t, c.Stopped(stop.Index+1), "Envoy::Server::InstanceImpl::initialize", serverPlace(s))
				c.Disconnect()
			})
		})
	}
}

// Without the gate the attach ends with a plain SIGSTOP.
func TestASignalThatDoesNotStopIsNoObstacleWithoutTheGate(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c, a := user(s, s.NamedSample().With("gate", false), inLLDBInit, "process handle --stop false --notify false --pass false SIGSTOP")
		c.Initialize()
		c.Attach(a)
		c.Configure(serverPlace(s))
		c.Seen(0, "process")
		c.Disconnect()
	})
}

// A hook that continues the process at each stop would let Envoy run at the attach,
// before its breakpoints are there.
func TestAStopHookDoesNotLetEnvoyRunBeforeItsBreakpointsAreBound(t *testing.T) {
	for _, hook := range []string{
		`target stop-hook add --auto-continue true --one-liner "settings set prompt hooked"`,
		`target stop-hook add --one-liner "process continue"`,
	} {
		t.Run(hook, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, s *harness.Story) {
				c, a := user(s, s.Sample(), inInit, hook)
				c.Initialize()
				c.Attach(a)
				c.Seen(0, "initialized")
				envoy := c.Part(harness.Envoy)
				c.Do("setBreakpoints", map[string]any{"source": map[string]string{"path": serverPlace(s).File},
					"breakpoints": []map[string]int{{"line": serverPlace(s).Line}}}, nil)
				// At the entry only ld.so is there.
				maps, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(envoy), "maps"))
				if err != nil || strings.Contains(string(maps), "/libc.so.6") {
					t.Errorf("Envoy has run before its breakpoints were bound: %v\n%s", err, maps)
				}
				c.Do("configurationDone", nil, nil)
				c.Output("starting main dispatch loop")
				c.Disconnect()
			})
		})
	}
}

func TestTheUsersStopHooksWorkAfterTheStartup(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c, a := user(s, s.Sample(), inInit, `target stop-hook add --one-liner "settings set prompt hooked"`)
		c.Initialize()
		c.Attach(a)
		c.Configure(mainPlace(s))
		c.Stopped(0)
		if said := c.Command("settings show prompt"); !strings.Contains(said, `"hooked"`) {
			t.Errorf("the hook has not run: %s", said)
		}
		c.Disconnect()
	})
}

// What the user has set is there when Envoy stands in main, whatever of it the
// adapter sets, too.
func TestNoSettingOfTheUsersIsUndone(t *testing.T) {
	for place, command := range map[string]string{inLLDBInit: "set", inInit: "append", inPreRun: "append"} {
		t.Run(place, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, s *harness.Story) {
				c, a := user(s, s.Sample(), place,
					fmt.Sprintf("settings %s target.source-map /of/the/user %s", command, s.Dir),
					fmt.Sprintf("settings %s target.debug-file-search-paths %s", command, s.Dir),
					// Nobody listens there, which is soon known.
					fmt.Sprintf("settings %s plugin.symbol-locator.debuginfod.server-urls http://127.0.0.1:1", command))
				c.Initialize()
				c.Attach(a)
				c.Configure(mainPlace(s))
				c.Stopped(0)
				said := c.Command("settings show target.source-map")
				ours, users := strings.Index(said, `"/proc/self/cwd"`), strings.Index(said, `"/of/the/user"`)
				if ours < 0 || users < ours {
					t.Errorf("the source map lacks the user's part, or has it before ours: %s", said)
				}
				for setting, value := range map[string]string{"target.debug-file-search-paths": s.Dir,
					"plugin.symbol-locator.debuginfod.server-urls": "http://127.0.0.1:1"} {
					if said := c.Command("settings show " + setting); !strings.Contains(said, value) {
						t.Errorf("the user's value is gone: %s", said)
					}
				}
				c.Disconnect()
			})
		})
	}
}

// A program of Envoy's size is debugged soon only with settings that are not LLDB's
// defaults; those around the attach are taken back.
func TestSettingsForBigProgramsAreTheUsersToChange(t *testing.T) {
	defaults := map[string]string{"target.preload-symbols": "false", "symbols.enable-lldb-index-cache": "true",
		"stop-line-count-before": "3", "stop-line-count-after": "3", "stop-disassembly-display": "no-debuginfo"}
	users := map[string]string{"target.preload-symbols": "true", "symbols.enable-lldb-index-cache": "false",
		"stop-line-count-before": "7", "stop-line-count-after": "8", "stop-disassembly-display": "no-source"}
	for _, place := range []string{"", inLLDBInit, inInit, inPreRun} {
		t.Run("set in "+place, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, s *harness.Story) {
				want, commands := defaults, []string(nil)
				if place != "" {
					want = users
					for name, value := range users {
						commands = append(commands, "settings set "+name+" "+value)
					}
				}
				s.Variables = append(s.Variables, "XDG_CACHE_HOME="+s.Dir)
				c, a := (*harness.Session)(nil), s.Sample().With("breakpointPresets", []string{"main"})
				if place == "" {
					c = s.Start()
				} else {
					c, a = user(s, a, place, commands...)
				}
				c.Initialize()
				c.Attach(a)
				c.Configure()
				at(t, c.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
				for name, value := range want {
					if said := c.Command("settings show " + name); !strings.Contains(said, "= "+value) {
						t.Errorf("%s should be %s: %s", name, value, said)
					}
				}
				c.Disconnect()
				kept, err := filepath.Glob(filepath.Join(s.Dir, "envoydbg/lldb-index", strconv.Itoa(s.LLDB.Version), "llvmcache-*"))
				if err != nil || (len(kept) > 0) != (want["symbols.enable-lldb-index-cache"] == "true") {
					t.Errorf("the index cache has %v, %v", kept, err)
				}
			})
		})
	}
}

func TestFunctionsStopAtTheirFirstInstructionForWhoWantsThat(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c, a := user(s, s.Sample().With("breakpointPresets", []string{"main"}), inInit, "settings set target.skip-prologue false")
		c.Initialize()
		c.Attach(a)
		c.Configure()
		c.Stopped(0)
		main := address(t, harness.The.SampleDebug, "_ZN5Envoy10MainCommon4mainEiPPc")
		if said, want := c.Command("target modules lookup --address $pc"), fmt.Sprintf("[0x%016x]", main); !strings.Contains(said, want) {
			t.Errorf("stopped at %s, want %s", said, want)
		}
		c.Disconnect()
	})
}

// Envoy ignores SIGPIPE, and so does the debugger, unless the user wants it.
func TestAnIgnoredSignalStopsOnlyWhoWantsIt(t *testing.T) {
	const stops = "process handle --stop true --notify true --pass true SIGPIPE"
	for place, want := range map[string]string{"": "breakpoint", inLLDBInit: "signal", inInit: "signal", inPreRun: "signal", inPostRun: "signal"} {
		t.Run("wanted in "+place, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, s *harness.Story) {
				a := s.Of(compile(s, programs(), "sigpipe", "sigpipe.cc"))
				c := (*harness.Session)(nil)
				if place == "" {
					c = s.Start()
				} else {
					c, a = user(s, a, place, stops)
				}
				c.Initialize()
				c.Attach(a)
				c.Seen(0, "initialized")
				c.Do("setFunctionBreakpoints", map[string]any{"breakpoints": []map[string]string{{"name": "after"}}}, nil)
				c.Do("configurationDone", nil, nil)
				e := c.Seen(0, "stopped")
				if said := e.Get("body.reason").Str + " " + e.Get("body.description").Str; !strings.Contains(said, want) {
					t.Errorf("the first stop is %q, want a %s", said, want)
				}
				c.Disconnect()
			})
		})
	}
}

// LLDB 22 keeps the failure of an attach to itself until configurationDone.
func TestACommandThatMustNotFailEndsTheAttach(t *testing.T) {
	for _, place := range []string{inInit, inPreRun} {
		t.Run(place, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, s *harness.Story) {
				c, a := user(s, s.Sample(), place, "!nonsense")
				c.Initialize()
				c.Attach(a)
				// In the console, or in the error.
				refused := c.AttachFails()
				if !strings.Contains(refused.Error(), "nonsense") && !told(c, "nonsense") {
					t.Errorf("nobody says which command has failed: %v", refused)
				}
				c.End()
			})
		})
	}
}

// told reports whether an output event so far has the text.
func told(c *harness.Session, text string) bool {
	for _, e := range c.Events("output") {
		if strings.Contains(e.Get("body.output").Str, text) {
			return true
		}
	}
	return false
}

// As for a launched program.
func TestWhatIsLoadedAndBoundLaterIsTold(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample())
		c.Seen(0, "initialized")
		var set struct {
			Breakpoints []struct {
				ID       int64
				Verified bool
			}
		}
		c.Do("setFunctionBreakpoints", map[string]any{"breakpoints": []map[string]string{{"name": "epoll_create1"}}}, &set)
		if set.Breakpoints[0].Verified {
			t.Errorf("libc is not loaded at Envoy's entry, and a breakpoint in it is verified")
		}
		c.Do("configurationDone", nil, nil)
		c.Until(0, "the breakpoint's binding", func(e client.Entry) bool {
			return e.Name == "breakpoint" && e.Get("body.breakpoint.id").Int() == set.Breakpoints[0].ID && e.Get("body.breakpoint.verified").Bool()
		})
		if s.LLDB.Version >= 22 { // 19 has no such event
			c.Until(0, "libc", func(e client.Entry) bool {
				return e.Name == "module" && e.Get("body.reason").Str == "new" && e.Get("body.module.name").Str == "libc.so.6"
			})
		}
		if stop := c.Stopped(0); !strings.HasSuffix(stop.Frames[0].Name, "epoll_create1") {
			t.Errorf("stopped in %v", names(stop))
		}
		c.Disconnect()
	})
}
