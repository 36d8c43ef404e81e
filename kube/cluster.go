package kube

import (
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

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

// Add adds the flags to those of a command. Its help lists the usual ones.
func (f *Flags) Add(to *pflag.FlagSet) {
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.flags.AddFlags(own)
	own.VisitAll(func(flag *pflag.Flag) {
		flag.Hidden = !slices.Contains([]string{"namespace", "context", "kubeconfig", "as"}, flag.Name)
	})
	to.AddFlagSet(own)
}

// Given are those flags of a command that Add has added and the user has set, as they
// are written: "--as=jane".
func Given(of *pflag.FlagSet) []string {
	own := pflag.NewFlagSet("", pflag.ContinueOnError)
	genericclioptions.NewConfigFlags(true).AddFlags(own)
	var given []string
	of.Visit(func(flag *pflag.Flag) {
		if own.Lookup(flag.Name) == nil {
			return
		}
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			for _, v := range list.GetSlice() {
				given = append(given, "--"+flag.Name+"="+v)
			}
			return
		}
		given = append(given, "--"+flag.Name+"="+flag.Value.String())
	})
	return given
}

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
	// client-go writes to stderr whatever it finds worth telling, such as the end of a
	// stream that was closed. All that matters comes back as an error.
	klog.SetLogger(logr.Discard())
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
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return observed{next} })
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
