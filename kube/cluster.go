package kube

import (
	"fmt"
	"io"

	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	// The ways of logging in that a kubeconfig can name besides exec plugins.
	_ "k8s.io/client-go/plugin/pkg/client/auth"
)

// Flags are kubectl's flags for reaching a cluster: --kubeconfig, --context,
// --namespace, --as and so on.
type Flags struct {
	flags *genericclioptions.ConfigFlags
}

// NewFlags returns flags without values: what $KUBECONFIG or ~/.kube/config says.
func NewFlags() *Flags {
	f := genericclioptions.NewConfigFlags(true)
	return &Flags{f}
}

// Add adds the flags to those of a command.
func (f *Flags) Add(to *pflag.FlagSet) { f.flags.AddFlags(to) }

// Parse takes flags as they are written for kubectl, such as "--as=jane".
func (f *Flags) Parse(arguments []string) error {
	set := pflag.NewFlagSet("kubectl", pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	f.Add(set)
	if err := set.Parse(arguments); err != nil {
		return err
	}
	if set.NArg() > 0 {
		return fmt.Errorf("%q is no flag", set.Arg(0))
	}
	return nil
}

// Cluster is one API server, as one user, with a namespace to look in.
type Cluster struct {
	client    kubernetes.Interface
	config    *rest.Config
	namespace string
}

// Connect reads the kubeconfig. It does not reach out to the cluster, but the first
// request may run a credential plugin.
func Connect(f *Flags) (*Cluster, error) {
	config, err := f.flags.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	namespace, _, err := f.flags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, err
	}
	config = rest.CopyConfig(config)
	// A session makes a few requests in a row; the default of 5 a second is for
	// controllers.
	config.QPS, config.Burst = 50, 100
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &Cluster{client: client, config: config, namespace: namespace}, nil
}

// Server is the address of the API server.
func (c *Cluster) Server() string { return c.config.Host }

// Namespace is where targets are looked for.
func (c *Cluster) Namespace() string { return c.namespace }
