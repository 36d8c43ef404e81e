package startup

import (
	"context"
	"fmt"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/lldb"
)

// byHand takes the lldb-server that somebody has started, if it fits: it returns how it is
// dialled, and what the phase shows. Nothing has been brought anywhere by then but the
// helper, which sees that server from beside Envoy.
func (s *Startup) byHand(ctx context.Context) (socket, what string, err error) {
	address := s.cfg.ByHand()
	r, err := s.beside.PlatformConnect(ctx, helper.PlatformConnectParams{Address: address, Awaited: s.awaited()})
	start := s.startByHand(address)
	switch code := helper.Code(err); {
	case code == helper.CodeUnreached:
		return "", "", fault.NoServerThere(address, fault.Plain(err), start)
	case code == helper.CodeNoPlatform:
		return "", "", fault.NoPlatformThere(address, fault.Plain(err), start)
	case err != nil:
		return "", "", s.cause(ctx, fault.ServerStart(err.Error()))
	}
	var why []string
	if r.Machine != s.remote.Machine {
		why = append(why, fmt.Sprintf("its machine is %s, and Envoy is for %s", r.Machine, s.remote.Machine))
	}
	if !r.Processes {
		why = append(why, fmt.Sprintf("it has another PID namespace: where the session's helper is, it sees %s", r.Seen))
	}
	if !r.Files {
		why = append(why, "it has another mount namespace: it does not see the session's folder")
	}
	if len(why) > 0 {
		return "", "", fault.ServerElsewhere(address, why, start)
	}
	what = fmt.Sprintf("lldb-server %s, started by hand at %s", r.Version, address)
	v, known := lldb.ParseVersion("lldb version " + r.Version)
	switch {
	case !known:
		what = "lldb-server of an unknown version, started by hand at " + address
	case v.Major != s.opts.LLDB.Major:
		return "", "", fault.OtherServer(address, r.Version, s.opts.LLDB.Text)
	}
	return helper.ByHandScheme + address, what, nil
}

// startByHand says how an lldb-server is started which fits.
func (s *Startup) startByHand(address string) string {
	if s.cfg.Local() {
		return fmt.Sprintf("Run \"lldb-server platform --server --listen %s\".", address)
	}
	return fmt.Sprintf("Run \"nsenter --target PID --pid --net --mount -- SERVER platform --server --listen %s\" as root on the node; docs/attributes.md (debugServer) says what PID and SERVER are.", address)
}
