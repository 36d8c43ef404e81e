//go:build linux

package server

import (
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/adapter/helper"
)

// Where ptrace is forbidden, it is said before anything is started, and by the
// cause; with either LLDB.
func TestForbiddenPtraceIsNamed(t *testing.T) {
	t.Setenv(poorVariable, "ptrace")
	for _, version := range []string{"19", "22"} {
		t.Run(version, func(t *testing.T) {
			c := openSession(t)
			_, err := c.PlatformStart(c.ctx, helper.PlatformStartParams{LLDBServer: lldbServer(t, version)})
			if helper.Code(err) != helper.CodePtrace {
				t.Fatalf("%v, want CodePtrace", err)
			}
			if r := helper.RefusalOf(err); r == nil || !strings.Contains(r.Why, "seccomp filter forbids ptrace") || !strings.Contains(r.Do, "CAP_SYS_PTRACE") {
				t.Errorf("the refusal says %+v", r)
			}
		})
	}
	nothingLeft(t)
}

func TestEachCauseOfForbiddenPtraceIsNamed(t *testing.T) {
	const all = 1 << 19 // CAP_SYS_PTRACE
	for _, c := range []struct {
		yama string
		self credentials
		want string
	}{
		{"3", credentials{effective: all}, "ptrace_scope is 3"},
		{"2", credentials{}, "ptrace_scope is 2"},
		{"2", credentials{effective: all, seccomp: seccompFilter}, "seccomp"},
		{"1", credentials{seccomp: seccompFilter}, "seccomp"},
		{"", credentials{}, "operation not permitted"},
	} {
		r := whyRefused(c.yama, c.self, "operation not permitted")
		if !strings.Contains(r.Why, c.want) || r.Do == "" {
			t.Errorf("Yama %q, %+v: %+v, want %q", c.yama, c.self, r, c.want)
		}
	}
	for _, c := range []struct {
		yama string
		self credentials
		want bool
	}{{"1", credentials{}, true}, {"1", credentials{effective: all}, false}, {"0", credentials{}, false}, {"", credentials{}, false}} {
		if r := whyNotWithoutGate(c.yama, c.self); (r != nil) != c.want {
			t.Errorf("without the gate, Yama %q, %+v: %+v", c.yama, c.self, r)
		}
	}
}

func TestWhoMayTraceWhom(t *testing.T) {
	user := func(id int) ids { return ids{id, id, id} }
	const all = 1 << 19
	for _, c := range []struct {
		name          string
		tracer, envoy credentials
		want          string // empty: it may
	}{
		{"one user", credentials{uid: user(1000), gid: user(1000)}, credentials{uid: user(1000), gid: user(1000)}, ""},
		{"root and 1337", credentials{effective: all, permitted: all}, credentials{uid: user(1337), gid: user(1337)}, ""},
		{"1000 and 1337", credentials{uid: user(1000), gid: user(1000)}, credentials{uid: user(1337), gid: user(1337)}, "runs as user 1337 and the debug server as 1000"},
		{"a set-user-ID program", credentials{uid: user(1000), gid: user(1000)}, credentials{uid: ids{1000, 0, 0}, gid: user(1000)}, "user 1000/0/0"},
		{"another group", credentials{uid: user(1000), gid: user(1000)}, credentials{uid: user(1000), gid: user(1337)}, "in group 1337"},
		{"more capabilities", credentials{uid: user(1000), gid: user(1000)}, credentials{uid: user(1000), gid: user(1000), permitted: 0x400}, "mask 0x400"},
		{"fewer capabilities", credentials{uid: user(1000), gid: user(1000), permitted: 0x400}, credentials{uid: user(1000), gid: user(1000)}, ""},
	} {
		r := c.tracer.whyNot(c.envoy)
		if c.want == "" != (r == nil) || r != nil && !strings.Contains(r.Why, c.want) {
			t.Errorf("%s: %+v, want %q", c.name, r, c.want)
		}
	}
}

func TestCredentialsAreRead(t *testing.T) {
	got := parseCredentials([]byte("Name:\tx y\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nCapPrm:\t000001ffffffffff\nCapEff:\t0000000000080000\nSeccomp:\t2\n"))
	want := credentials{uid: ids{1, 2, 3}, gid: ids{5, 6, 7}, permitted: 0x1ffffffffff, effective: 0x80000, seccomp: 2}
	if got != want || !got.mayTraceAll() {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
