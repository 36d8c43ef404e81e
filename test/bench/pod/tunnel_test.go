package pod

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/pod"
	"github.com/envoydbg/envoydbg/adapter/startup"
	"github.com/envoydbg/envoydbg/kube"
	"github.com/envoydbg/envoydbg/test/bench/pod/echo"
	"github.com/envoydbg/envoydbg/test/support/checkout"
	"github.com/envoydbg/envoydbg/test/support/cluster"
	"github.com/envoydbg/envoydbg/test/support/relay"
	"github.com/envoydbg/envoydbg/test/support/report"
)

var (
	tunnelCuts   = flag.Int("tunnel-cuts", 100, "how often the connections are cut")
	tunnelRounds = flag.Int("tunnel-rounds", 2000, "messages of 64 bytes on each way")
	tunnelBytes  = flag.Int("tunnel-bytes", 64<<20, "bytes on each way")
)

// underLoad is how much must have come back since the last cut before the next one.
const underLoad = 256 << 10

// port of the echo in the sidecar: one that Istio does not redirect.
const port = "15090"

// sidecar is a container as the target wants it.
type sidecar struct{ *kube.Sidecar }

func (s sidecar) Command() []string { return s.Sidecar.Command }
func (s sidecar) Image() string     { return s.Sidecar.Image }
func (s sidecar) Shared() []string  { return s.Sidecar.Shared }

// Beside implements pod.Container. The image of the lab's sidecar has a shell.
func (s sidecar) Beside(context.Context, string, []string) (pod.Runner, error) {
	return nil, errors.New("no other container is needed")
}

// find finds a container as the product does.
func (l *lab) find(ctx context.Context, name, container string) (sidecar, error) {
	flags := kube.NewFlags()
	if err := flags.Parse([]string{"--kubeconfig=" + l.kubeconfig, "--namespace=" + l.namespace}); err != nil {
		return sidecar{}, err
	}
	c, err := kube.Connect(flags)
	if err != nil {
		return sidecar{}, err
	}
	s, err := c.Find(ctx, "pod/"+name, container)
	return sidecar{s}, err
}

// tunnel is the product's connection into the pod, with an echo at its end.
type tunnel struct {
	startup.Beside
	socket  string // of the echo
	resumed chan struct{}
}

// dial connects to the echo, as to a debug server without a companion: what is measured
// are no packets.
func (t *tunnel) dial(ctx context.Context) (*helper.ServerConn, error) {
	return t.Beside.(interface {
		DialServer(ctx context.Context, socket string) (*helper.ServerConn, error)
	}).DialServer(ctx, t.socket)
}

// peer is a pod beside the sidecar's, without one.
const peer = `
apiVersion: v1
kind: Pod
metadata:
  name: peer
  labels: {sidecar.istio.io/inject: "false"}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - {name: main, image: "envoydbg.test/proxyv2:1", command: [sleep, "3600"]}
`

// echod builds the echo for the pods.
func (l *lab) echod() []byte {
	l.tb.Helper()
	path := filepath.Join(l.dir, "echod")
	cmd := exec.Command("go", "build", "-o", path, "./test/bench/pod/echo/echod")
	cmd.Dir, cmd.Env = l.root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		l.tb.Fatalf("%v: %s", err, out)
	}
	program, err := os.ReadFile(path)
	if err != nil {
		l.tb.Fatal(err)
	}
	return program
}

// dig makes the tunnel, and starts the echo in the sidecar.
func (l *lab) dig(program []byte) *tunnel {
	l.tb.Helper()
	t := &tunnel{resumed: make(chan struct{}, 1000)}
	ctx, cancel := context.WithTimeout(context.Background(), cluster.Limit)
	defer cancel()
	found, err := l.find(ctx, target, container)
	if err != nil {
		l.tb.Fatal(err)
	}
	to := &pod.Target{Find: func(context.Context) (pod.Container, error) { return found, nil }, HelperDir: l.dir}
	t.Beside, err = to.Connect(ctx, startup.Notices{Progress: func(string, ...any) {}, Say: func(string, ...any) {},
		Resumed: func(time.Duration) { t.resumed <- struct{}{} }})
	if err != nil {
		l.tb.Fatal(err)
	}
	l.tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
		defer cancel()
		if _, err := t.End(ctx); err != nil {
			l.tb.Error(err)
		}
		_ = t.Close()
	})
	hello, err := t.Hello(ctx, helper.HelloParams{Protocol: helper.Protocol, Session: "01234567"})
	if err != nil {
		l.tb.Fatal(err)
	}
	t.socket = hello.Dir + "/echo"
	if err := found.Exec(ctx, []string{"sh", "-c", `cat > "$1" && chmod 700 "$1"`, "sh", hello.Dir + "/echod"}, bytes.NewReader(program), io.Discard); err != nil {
		l.tb.Fatal(err)
	}
	l.c.Follow("exec", "-n", l.namespace, target, "-c", container, "--", hello.Dir+"/echod", "serve", t.socket, ":"+port).Until("ready")
	l.tb.Cleanup(func() {
		_, _ = l.inPod(`kill $(ps -e -o pid=,args= | sed -n 's|^ *\([0-9]*\) [^ ]*/echod serve.*|\1|p')`)
	})
	return t
}

// forward starts `kubectl port-forward` and returns the address it listens at.
func (l *lab) forward() (address string, end func(), err error) {
	cmd := exec.Command(filepath.Join(l.root, "bin/tools/kubectl"), "port-forward", "-n", l.namespace, "pod/"+target, ":"+port)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+l.kubeconfig)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	end = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	_, rest, found := strings.Cut(line, "Forwarding from ")
	if address, _, _ = strings.Cut(rest, " "); !found {
		end()
		return "", nil, fmt.Errorf("port-forward says %q: %s", line, &complaint)
	}
	return address, end, nil
}

// traffic is a stream there and back.
type traffic struct {
	sent, back atomic.Int64
	stop       atomic.Bool
	done       chan error // how it ended: nil when every byte came back once
}

// halfCloser is a connection whose directions close one at a time.
type halfCloser interface {
	io.ReadWriter
	CloseWrite() error
}

func begin(c halfCloser) *traffic {
	l := &traffic{done: make(chan error, 1)}
	go func() {
		stream, p := echo.Stream(), make([]byte, 32<<10)
		for !l.stop.Load() {
			_, _ = io.ReadFull(stream, p)
			n, err := c.Write(p)
			l.sent.Add(int64(n))
			if err != nil {
				return // the reader has the error, too
			}
		}
		_ = c.CloseWrite()
	}()
	go func() {
		checked, p := echo.NewChecked(), make([]byte, 32<<10)
		for {
			n, err := c.Read(p)
			if _, wrong := checked.Write(p[:n]); wrong != nil {
				l.done <- wrong
				return
			}
			l.back.Add(int64(n))
			if err == io.EOF && l.stop.Load() {
				if sent := l.sent.Load(); l.back.Load() != sent {
					err = fmt.Errorf("%d bytes were sent, %d came back", sent, l.back.Load())
				} else {
					err = nil
				}
			}
			if err != nil || n == 0 {
				l.done <- err
				return
			}
		}
	}()
	return l
}

// moved waits until underLoad more bytes have come back than before.
func (l *traffic) moved(before int64) error {
	for deadline := time.Now().Add(cluster.Limit); l.back.Load() < before+underLoad; time.Sleep(time.Millisecond) {
		select {
		case err := <-l.done:
			l.done <- err
			return fmt.Errorf("the stream has ended: %w", err)
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d bytes came back, and no more", l.back.Load())
		}
	}
	return nil
}

// survived is what became of the connections in the cuts.
type survived struct {
	cuts               int
	bytes              int64 // that came back through the tunnel
	resume             []time.Duration
	forwardLost, ended int   // connections of port-forward that ended; port-forwards that ended
	forwardBytes       int64 // that came back through port-forward
	forwardMissing     int64 // that were sent and did not come back
}

// cutOften cuts tunnel and port-forward at the same time, both under load.
func (l *lab) cutOften(t *tunnel, r *relay.Relay, cuts int) (s survived, err error) {
	conn, err := t.dial(context.Background())
	if err != nil {
		return s, err
	}
	defer conn.Close()
	through := begin(conn)
	for s.cuts < cuts {
		address, end, err := l.forward()
		if err != nil {
			return s, err
		}
		beside, err := net.Dial("tcp", address)
		if err != nil {
			end()
			return s, err
		}
		forwarded := begin(beside.(*net.TCPConn))
		err = errors.Join(forwarded.moved(0), through.moved(through.back.Load()))
		if err == nil {
			cut := time.Now()
			r.Cut()
			s.cuts++
			select {
			case <-t.resumed:
				s.resume = append(s.resume, time.Since(cut))
			case <-time.After(cluster.Limit):
				err = errors.New("the tunnel does not come back")
			}
		}
		if err == nil {
			select {
			case lost := <-forwarded.done:
				if lost != nil || !forwarded.stop.Load() {
					s.forwardLost++
				}
			case <-time.After(cluster.Limit):
				err = errors.New("port-forward's connection does not end")
			}
		}
		s.forwardBytes += forwarded.back.Load()
		s.forwardMissing += forwarded.sent.Load() - forwarded.back.Load()
		beside.Close()
		if again, dialErr := net.Dial("tcp", address); dialErr != nil {
			s.ended++
		} else {
			again.Close()
		}
		end()
		if err != nil {
			return s, err
		}
	}
	through.stop.Store(true)
	select {
	case err = <-through.done:
	case <-time.After(cluster.Limit):
		err = errors.New("the tunnel's stream does not end")
	}
	s.bytes = through.back.Load()
	return s, err
}

// 100 cuts are in BenchmarkTunnel.
func TestNoByteIsLostOrDoubledInCutsOfTheTunnel(t *testing.T) {
	l := makeLab(t)
	r := l.through(0)
	tunnel := l.dig(l.echod())
	s, err := l.cutOften(tunnel, r, 5)
	if err != nil {
		t.Fatalf("%+v: %v", s, err)
	}
	if s.cuts != 5 || s.bytes < 5*underLoad {
		t.Errorf("%+v", s)
	}
}

// BenchmarkTunnel cuts, and measures the speed beside other ways.
func BenchmarkTunnel(b *testing.B) {
	l := makeLab(b)
	conditions, err := report.Conditions()
	if err != nil {
		b.Fatal(err)
	}
	r := l.through(0)
	program := l.echod()
	t := l.dig(program)
	speeds, err := l.speeds(t, program)
	if err != nil {
		b.Fatal(err)
	}
	s, err := l.cutOften(t, r, *tunnelCuts)
	if err != nil {
		b.Fatalf("%+v: %v", s, err)
	}
	text := conditions + "\n\n" + tunnelText(s, speeds)
	fmt.Println(text)
	b.ReportMetric(float64(s.cuts), "cuts")
	if *podPage == "" {
		return
	}
	if err := report.Replace(checkout.Path(b, *podPage), "tunnel", text); err != nil {
		b.Fatal(err)
	}
}

// ways into the pod, in the order of the table.
var ways = []string{"envoydbg", "kubectl port-forward", "the pod's address, from another pod", "an exec of cat, without anything of envoydbg's"}

// speeds measures each way.
func (l *lab) speeds(t *tunnel, program []byte) (map[string]echo.Speed, error) {
	all := map[string]echo.Speed{}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	conn, err := t.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if all[ways[0]], err = echo.Measure(conn, *tunnelRounds, *tunnelBytes); err != nil {
		return nil, err
	}
	address, end, err := l.forward()
	if err != nil {
		return nil, err
	}
	defer end()
	beside, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer beside.Close()
	if all[ways[1]], err = echo.Measure(beside, *tunnelRounds, *tunnelBytes); err != nil {
		return nil, err
	}
	here, err := l.find(ctx, target, container)
	if err != nil {
		return nil, err
	}
	alone := here.Stream(ctx, []string{"cat"})
	defer alone.Close()
	if all[ways[3]], err = echo.Measure(alone, *tunnelRounds, *tunnelBytes); err != nil {
		return nil, err
	}
	l.c.ApplyIn(l.namespace, peer)
	l.c.WaitReady(l.namespace, "pod/peer")
	other, err := l.find(ctx, "peer", "main")
	if err != nil {
		return nil, err
	}
	if err := other.Exec(ctx, []string{"sh", "-c", `cat > /tmp/echod && chmod 700 /tmp/echod`}, bytes.NewReader(program), io.Discard); err != nil {
		return nil, err
	}
	ip := l.c.Kubectl("get", "pod", target, "-n", l.namespace, "-o", "jsonpath={.status.podIP}")
	var out bytes.Buffer
	if err := other.Exec(ctx, []string{"/tmp/echod", "measure", net.JoinHostPort(ip, port),
		strconv.Itoa(*tunnelRounds), strconv.Itoa(*tunnelBytes)}, nil, &out); err != nil {
		return nil, err
	}
	var speed echo.Speed
	if err := json.Unmarshal(out.Bytes(), &speed); err != nil {
		return nil, fmt.Errorf("%w: %s", err, &out)
	}
	all[ways[2]] = speed
	return all, nil
}

func tunnelText(s survived, speeds map[string]echo.Speed) string {
	var rows [][]string
	base := speeds[ways[1]]
	for _, way := range ways {
		speed := speeds[way]
		rows = append(rows, []string{way, us(speed.P50), us(speed.P99), fmt.Sprintf("%.0f MiB/s", speed.MiB),
			fmt.Sprintf("%.2f", float64(speed.P50)/float64(base.P50)), fmt.Sprintf("%.2f", speed.MiB/base.MiB)})
	}
	text := report.Table(1, []string{"one connection", "64 bytes there and back, p50", "p99", "there and back at once", "round trip against port-forward", "throughput against port-forward"}, rows)
	return text + fmt.Sprintf(`
%d cuts of all connections to the API server, both ways under load:

- envoydbg: one connection, which outlived all of them; %.0f MiB there and back, every byte once and in its place. It was back %s after a cut (median; %s at most).
- kubectl port-forward: %d of %d connections were lost, with %.1f MiB that were sent and did not come back; %d times nothing listened any more.
`, s.cuts, float64(s.bytes)/(1<<20), ms(report.Quantile(s.resume, 0.5)), ms(report.Quantile(s.resume, 1)),
		s.forwardLost, s.cuts, float64(s.forwardMissing)/(1<<20), s.ended)
}

func us(d time.Duration) string { return fmt.Sprintf("%d µs", d.Microseconds()) }
