package pod

import (
	"context"
	"errors"
	"io"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/forward"
)

// Forward runs a helper in the container that makes connections from there, as its own
// user, or as another one unless uid is negative. The helper is brought, unless it is
// there. It ends with the client.
func (t *Target) Forward(ctx context.Context, uid, gid int) (*forward.Client, error) {
	t.quiet()
	if err := t.find(ctx); err != nil {
		return nil, err
	}
	p, err := t.place(ctx)
	if err != nil {
		return nil, err
	}
	return t.forward(ctx, p, uid, gid)
}

// ForwardEasily is Forward for a container from which less can be seen without a helper,
// but for which no ephemeral container is made. Without an error the client is nil where
// no helper is.
func (t *Target) ForwardEasily(ctx context.Context) (*forward.Client, error) {
	t.quiet()
	if err := t.find(ctx); err != nil {
		return nil, err
	}
	p, found, err := t.look(ctx)
	switch {
	case err != nil:
		return nil, err
	case p.dir == "" && found == nil:
		return nil, nil
	case p.dir == "":
		dir, err := t.store(ctx, t.container, found)
		if err != nil {
			return nil, err
		}
		p = found.binary.in(dir)
	}
	return t.forward(ctx, p, -1, -1)
}

func (t *Target) forward(ctx context.Context, p placed, uid, gid int) (*forward.Client, error) {
	container := t.container
	place := helper.Place{Run: func(ctx context.Context, args ...string) (io.ReadWriteCloser, error) {
		return container.Stream(context.WithoutCancel(ctx), append([]string{p.helper}, args...)), nil
	}}
	bounded, cancel := context.WithTimeout(ctx, execTime)
	defer cancel()
	stream, err := place.Forward(bounded, uid, gid)
	var told *helper.StatusError
	switch {
	case errors.As(err, &told) && told.Problem == helper.ProblemRights:
		return nil, fault.NotThatUser(t.container.String(), err)
	case err != nil:
		return nil, fault.HelperUnreached(err)
	}
	client, err := forward.New(stream)
	if err != nil {
		return nil, fault.HelperUnreached(err)
	}
	return client, nil
}

// quiet is for what is done outside a session.
func (t *Target) quiet() { t.progress, t.say = func(string, ...any) {}, t.Say }
