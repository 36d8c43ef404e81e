package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/envoydbg/envoydbg/internal/tail"
)

// ExitError: the command ran, and ended with another code than 0.
type ExitError struct {
	Code   int
	Stderr string // its beginning and its end
}

func (e *ExitError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("exit status %d %s", e.Code, e.Stderr))
}

// Exec runs a command in the container and waits for its end. A nil stdin is empty.
// Over WebSocket where the API server speaks it, else over SPDY. The error is an
// *ExitError when the command ran. A nil error does not mean that it did: when the
// kubelet dies the stream ends without one. Whoever must know lets the command say so
// on stdout.
func (s *Sidecar) Exec(ctx context.Context, command []string, stdin io.Reader, stdout io.Writer) error {
	executor, err := s.executor(command, stdin != nil)
	if err != nil {
		return err
	}
	var stderr tail.Tail
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: stdin, Stdout: stdout, Stderr: &stderr})
	var code exec.CodeExitError
	if errors.As(err, &code) {
		return &ExitError{code.Code, stderr.String()}
	}
	if text := stderr.String(); err != nil && text != "" {
		return fmt.Errorf("%w: %s", err, text)
	}
	return err
}

func (s *Sidecar) executor(command []string, stdin bool) (remotecommand.Executor, error) {
	c := s.cluster
	url := c.client.CoreV1().RESTClient().Post().Namespace(s.Namespace).Resource("pods").Name(s.Pod).SubResource("exec").
		VersionedParams(&core.PodExecOptions{Container: s.Container, Command: command, Stdin: stdin, Stdout: true, Stderr: true}, scheme.ParameterCodec).URL()
	websocket, err := remotecommand.NewWebSocketExecutor(c.config, http.MethodGet, url.String())
	if err != nil {
		return nil, err
	}
	spdy, err := remotecommand.NewSPDYExecutor(c.config, http.MethodPost, url)
	if err != nil {
		return nil, err
	}
	return remotecommand.NewFallbackExecutor(websocket, spdy, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	})
}

// Gone says of an error of Exec or Stream that the pod has been deleted or replaced, or
// that the user may not reach it any more. While a kubelet or an API server comes back,
// other errors come: connections that are refused, and that the pod does not exist yet.
func (s *Sidecar) Gone(err error) bool {
	text := err.Error()
	return apierrors.IsNotFound(err) || apierrors.IsForbidden(err) ||
		strings.Contains(text, fmt.Sprintf("pods %q not found", s.Pod)) || strings.Contains(text, "is forbidden: User") ||
		strings.Contains(text, "exec: ") && strings.Contains(text, "no such file or directory") // another container of that name
}

// NoProgram says of an error of Exec that the container does not have the program. The
// container runtimes word it themselves; some end with the code 127 in place of an error.
func (s *Sidecar) NoProgram(err error) bool {
	var ran *ExitError
	if errors.As(err, &ran) && ran.Code != 127 {
		return false
	}
	text := strings.ToLower(err.Error())
	return strings.Contains(text, "executable file") && strings.Contains(text, "not found") ||
		strings.Contains(text, "exec") && strings.Contains(text, "no such file or directory")
}

// Stream runs a command in the container as one byte stream: what is written is its
// stdin, what is read its stdout. Close ends the stream, upon which the command finds
// its stdin at the end. The last Read says why the stream ended; it is io.EOF when the
// command did.
func (s *Sidecar) Stream(ctx context.Context, command []string) io.ReadWriteCloser {
	ctx, cancel := context.WithCancel(ctx)
	inRead, inWrite := io.Pipe()
	outRead, outWrite := io.Pipe()
	go func() {
		defer cancel()
		err := s.Exec(ctx, command, inRead, outWrite)
		if err == nil {
			err = io.EOF
		}
		_ = outWrite.CloseWithError(err)
		_ = inRead.CloseWithError(err)
	}()
	return &stream{outRead, inWrite, cancel}
}

type stream struct {
	*io.PipeReader
	in     *io.PipeWriter
	cancel context.CancelFunc
}

// Write implements io.Writer.
func (s *stream) Write(p []byte) (int, error) { return s.in.Write(p) }

// Close implements io.Closer.
func (s *stream) Close() error {
	s.cancel()
	_ = s.in.Close()
	return s.PipeReader.Close()
}
