package config

import "testing"

func TestAnOwnerIsAUserOrAGroup(t *testing.T) {
	for text, want := range map[string]string{"uid 1000": "uid/1000", "uid:1000": "uid/1000", "gid: 5": "gid/5", "all": "/", "uid": "/", "uid -1": "/", "user 5": "/", "uid 1 -j DROP": "/"} {
		kind, id, ok := Owner(text)
		if got := kind + "/" + id; got != want || ok != (want != "/") {
			t.Errorf("%q is %s, %t", text, got, ok)
		}
	}
}
