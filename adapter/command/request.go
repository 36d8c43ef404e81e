package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper/forward"
	"github.com/envoydbg/envoydbg/adapter/pod"
	"github.com/envoydbg/envoydbg/adapter/traffic"
	"github.com/envoydbg/envoydbg/kube"
)

// requestFlags are the flags of request.
type requestFlags struct {
	pod           podFlags
	from          string
	method        string
	headers       []string
	data          string
	user          string
	count, atOnce int
	timeout       time.Duration
	insecure      bool
	output        string
}

func requestCommand() *cobra.Command {
	var f requestFlags
	cmd := &cobra.Command{
		Use:   "request TARGET URL",
		Short: "Send an HTTP request from a pod's application, through its sidecar",
		Long: `Request sends an HTTP request from the application's container of a pod, as the
application would: through the sidecar, so that breakpoints on Envoy's data path are hit.
The image needs nothing for it. The response goes to stdout. What is known of its way
goes to stderr: whether Envoy has handled it, by the other end of the connection.

While Envoy is stopped at a breakpoint, or does not listen yet, the request waits, and a
line says so; that time does not count for --timeout. At a parked sidecar request ends at
once. docs/request.md has more.

Exit codes: 0 when each request has got a response, whatever its status, through Envoy; 1
otherwise; 2 for a wrong command line.`,
		Example: `  envoydbg request statefulset/fortio-server http://fortio-server-classic:8080/ -n demo
  envoydbg request pod/fortio-server-0 http://httpbin/post -d @body.json -H "Content-Type: application/json"
  envoydbg request pod/fortio-server-0 http://httpbin/ --count 100 --concurrency 8 -o json`,
		Args:                  targetAndURL,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := untilInterrupted(cmd)
			defer stop()
			err := f.run(ctx, cmd, args[0], args[1])
			if ctx.Err() != nil && cmd.Context().Err() == nil {
				return exit(signalled(syscall.SIGINT))
			}
			return err
		},
	}
	f.pod.addBringing(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from-container", "", "`name` of the application's container (default: the first one that is not the sidecar)")
	flags.StringVarP(&f.method, "request", "X", "", "`method` (default: GET, or POST with --data)")
	flags.StringArrayVarP(&f.headers, "header", "H", nil, "`NAME: VALUE` of a header; repeatable")
	flags.StringVarP(&f.data, "data", "d", "", "`body`; @FILE for a file's content, - for stdin")
	flags.StringVar(&f.user, "run-as", "", "`UID[:GID]` to send it as, where the container's user is root")
	flags.IntVar(&f.count, "count", 1, "`number` of requests")
	flags.IntVar(&f.atOnce, "concurrency", 1, "`number` of requests at a time")
	flags.DurationVar(&f.timeout, "timeout", 30*time.Second, "`time` for each request in which Envoy runs, such as 5s; 0 for none")
	flags.BoolVarP(&f.insecure, "insecure", "k", false, "do not check the certificate of an https URL")
	addOutput(flags, &f.output)
	return cmd
}

// targetAndURL is the rule for the words of request.
func targetAndURL(cmd *cobra.Command, args []string) error {
	if len(args) != 2 {
		return fault.Usage(fmt.Sprintf("a target and a URL are needed, not %d words", len(args)), help(cmd))
	}
	u, err := url.Parse(args[1])
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fault.Usage(fmt.Sprintf("%q is no URL of http or https", args[1]), "Write it out, such as http://fortio-server:8080/.")
	}
	return nil
}

// request is what is to be sent.
func (f *requestFlags) request(target string, stdin io.Reader) (r traffic.Request, err error) {
	r = traffic.Request{Method: f.method, URL: target, Header: http.Header{}, Count: f.count, Concurrency: f.atOnce, Timeout: f.timeout, Insecure: f.insecure}
	if f.count < 1 || f.atOnce < 1 || f.timeout < 0 {
		return r, fault.Usage("--count and --concurrency are at least 1, and --timeout at least 0", "Give other numbers.")
	}
	for _, h := range f.headers {
		name, value, ok := strings.Cut(h, ":")
		if name = strings.TrimSpace(name); !ok || name == "" || strings.ContainsAny(name, " \t\r\n") || strings.ContainsAny(value, "\r\n") {
			return r, fault.Usage(fmt.Sprintf("--header is %q", h), `It is "NAME: VALUE".`)
		}
		if value = strings.TrimSpace(value); strings.EqualFold(name, "Host") {
			r.Host = value
			continue
		}
		r.Header.Add(name, value)
	}
	switch path, isFile := strings.CutPrefix(f.data, "@"); {
	case f.data == "-":
		r.Body, err = io.ReadAll(stdin)
	case isFile:
		r.Body, err = os.ReadFile(path)
	default:
		r.Body = []byte(f.data)
	}
	if err != nil {
		return r, fault.Usage("the body cannot be read: "+fault.WithoutPath(err).Error(), "Name a file that you may read.")
	}
	if r.Method == "" {
		r.Method = http.MethodGet
		if f.data != "" {
			r.Method = http.MethodPost
		}
	}
	if _, err := http.NewRequest(r.Method, r.URL, nil); err != nil {
		return r, fault.Usage(fmt.Sprintf("--request is %q", f.method), "It is a method such as PUT.")
	}
	return r, nil
}

// ids are the user and the group of --run-as; -1 for those of the container.
func (f *requestFlags) ids() (uid, gid int, err error) {
	if f.user == "" {
		return -1, -1, nil
	}
	user, group, hasGroup := strings.Cut(f.user, ":")
	uid, err = strconv.Atoi(user)
	if gid = -1; err == nil && hasGroup {
		gid, err = strconv.Atoi(group)
	}
	if err != nil || uid < 0 || hasGroup && gid < 0 {
		return 0, 0, fault.Usage(fmt.Sprintf("--run-as is %q", f.user), "It is a number, or two with a colon: 1000:1000.")
	}
	return uid, gid, nil
}

func (f *requestFlags) run(ctx context.Context, cmd *cobra.Command, target, address string) error {
	r, err := f.request(address, cmd.InOrStdin())
	if err != nil {
		return err
	}
	uid, gid, err := f.ids()
	if err != nil {
		return err
	}
	report := &requestReport{out: cmd.OutOrStdout(), err: cmd.ErrOrStderr(), of: r.Count}
	if report.print, err = printerOf(f.output, report.table); err != nil {
		return err
	}
	sidecar, err := f.sidecar(ctx, target)
	if err != nil {
		return err
	}
	sent := sending{sidecar: sidecar, from: f.from, uid: uid, gid: gid, debugImage: f.pod.debugImage,
		say: func(format string, args ...any) { fmt.Fprintf(cmd.ErrOrStderr(), format, args...) }}
	err = sent.run(ctx, r, func(p traffic.Pod) { report.pod = p }, report.add)
	if err != nil && len(report.results) == 0 {
		return err
	}
	ended := report.end(sent.exceptions)
	if err != nil { // why there are no more
		return err
	}
	return ended
}

// sending sends requests from the application beside a sidecar.
type sending struct {
	sidecar *kube.Sidecar
	// from is the application's container; empty for the first that is not the sidecar.
	from string
	// uid and gid are whom to send as; -1 for those of the container.
	uid, gid   int
	debugImage string
	say        func(format string, args ...any)
	// exceptions say, afterwards, what may have kept a connection from Envoy.
	exceptions []string
}

// run sends r. reached is told of the pod before the first request, and took of each
// result.
func (s *sending) run(ctx context.Context, r traffic.Request, reached func(traffic.Pod), took func(traffic.Result)) error {
	application, err := s.sidecar.Application(s.from)
	if err != nil {
		return clusterFault(err, "pod/"+s.sidecar.Pod, s.sidecar.Namespace)
	}
	at := func(c *kube.Sidecar) *pod.Target {
		return &pod.Target{Find: func(context.Context) (pod.Container, error) { return container{c}, nil }, Say: s.say}
	}
	type forwarded struct {
		client *forward.Client
		err    error
	}
	beside := make(chan forwarded, 1)
	go func() {
		c, err := at(s.sidecar).ForwardEasily(ctx)
		beside <- forwarded{c, err}
	}()
	there := at(application)
	there.DebugImage, there.Places = s.debugImage, placesOf(application)
	from, err := there.Forward(ctx, s.uid, s.gid)
	side := <-beside
	if side.client != nil {
		defer side.client.Close()
	}
	if err != nil {
		return err
	}
	defer from.Close()
	if side.err != nil {
		return side.err
	}
	capture := s.sidecar.Capture()
	p := traffic.Pod{Application: from, Name: application.String(), SidecarName: s.sidecar.String(), Port: capture.Port, Say: s.say}
	if side.client != nil { // a nil client in the interface is not a nil interface
		p.Sidecar = side.client
	}
	reached(p)
	if err := traffic.Run(ctx, r, p, took); err != nil {
		return err
	}
	look, _ := from.Look(ctx, capture.Port, 0)
	s.exceptions = exceptions(capture, look)
	return nil
}

// placesOf are where the helper may be put in an application's container, best first.
func placesOf(s *kube.Sidecar) []string {
	return append(slices.Clone(s.Shared), "/tmp", "/var/tmp", "/")
}

// sidecar finds the container with Envoy in it.
func (f *requestFlags) sidecar(ctx context.Context, target string) (*kube.Sidecar, error) {
	c, err := findBy(ctx, f.pod.kubectl, target, f.pod.container)
	if err != nil {
		return nil, err
	}
	s, ok := c.(container)
	if !ok {
		return nil, errors.New("not a container of a cluster")
	}
	return s.Sidecar, nil
}

// exceptions say what may have kept a connection from Envoy.
func exceptions(c kube.Capture, l forward.Look) (all []string) {
	for _, uid := range c.UIDs {
		if uid == strconv.Itoa(l.UID) {
			all = append(all, fmt.Sprintf("connections of user %s are not redirected, and this is that user", uid))
		}
	}
	for _, gid := range c.GIDs {
		if gid == strconv.Itoa(l.GID) {
			all = append(all, fmt.Sprintf("connections of group %s are not redirected, and this is that group", gid))
		}
	}
	return append(all, c.Exceptions...)
}
