package stories_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// A proxy before the API server that knows no WebSocket, as some do, leaves SPDY: the
// session runs over that.
func TestASessionRunsOverSPDYWhereWebSocketIsRefused(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	var refused, spdy atomic.Int32
	kubeconfig := behindProxy(t, c.Kubeconfig(), func(w http.ResponseWriter, r *http.Request) bool {
		switch upgrade := strings.ToLower(r.Header.Get("Upgrade")); {
		case upgrade == "websocket":
			refused.Add(1)
			http.Error(w, "no WebSocket here", http.StatusBadRequest)
			return false
		case strings.HasPrefix(upgrade, "spdy/"):
			spdy.Add(1)
		}
		return true
	})
	for _, lldb := range lldbs {
		t.Run("LLDB "+lldb, func(t *testing.T) {
			refused.Store(0)
			spdy.Store(0)
			p := productOf(t, c, lldb)
			p.kubeconfig = kubeconfig
			s := p.debug(namespace, "pod/fortio-server-0", "-x", "next", "-x", "continue", "-x", "await starting main dispatch loop", "-x", "quit")
			s.ends(0, "● stopped at main", "main_common.cc:20", "starting main dispatch loop", "nothing is left running")
			if refused.Load() == 0 || spdy.Load() == 0 {
				t.Errorf("%d connections over WebSocket were refused, %d came over SPDY", refused.Load(), spdy.Load())
			}
			parked(t, c, namespace, "fortio-server-0")
		})
	}
}

// behindProxy is a kubeconfig that leads to the API server through a proxy that ends TLS.
// The proxy passes on what let allows.
func behindProxy(t *testing.T, kubeconfig string, let func(http.ResponseWriter, *http.Request) bool) string {
	t.Helper()
	text, err := os.ReadFile(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	var config map[string]any
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	server := entry(config, "clusters", "cluster")
	user := entry(config, "users", "user")
	certificate, err := tls.X509KeyPair([]byte(decoded(t, user["client-certificate-data"])), []byte(decoded(t, user["client-key-data"])))
	if err != nil {
		t.Fatal(err)
	}
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM([]byte(decoded(t, server["certificate-authority-data"])))
	to, err := url.Parse(server["server"].(string))
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authorities, Certificates: []tls.Certificate{certificate}}},
	}
	proxy := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if let(w, r) {
			forward.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(proxy.Close)
	delete(server, "certificate-authority-data")
	server["server"], server["insecure-skip-tls-verify"] = proxy.URL, true
	if text, err = yaml.Marshal(config); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Every connection to the API server is cut, with Envoy stopped and with Envoy running;
// the session goes on.
func TestACutConnectionIsTakenUpAgain(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	for _, lldb := range lldbs {
		t.Run("LLDB "+lldb, func(t *testing.T) {
			p := productOf(t, c, lldb)
			s := p.typing(namespace)
			s.until("● stopped at main")
			c.Cut()
			s.say("next")
			s.until("main_common.cc:20")
			s.say("b server.cc:99")
			s.say("continue")
			s.until("● stopped at breakpoint 2")
			s.say("continue")
			s.until("server.cc:99] starting main dispatch loop")
			c.Cut()
			s.say("pause")
			s.until("● stopped: pause")
			s.say("quit")
			s.ends(0, "was cut", "is back", "was cut", "is back", "nothing is left running")
			parked(t, c, namespace, "fortio-server-0")
		})
	}
}
