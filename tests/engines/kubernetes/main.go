// One binary with every program of a Kubernetes cluster: the name it is called by chooses which. Most of what they are
// made of is the same, so one binary takes a fraction of the time and the space of seven.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/fsnotify/fsnotify"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	manager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	// The formats of logs and metrics that the programs look up by name.
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
)

var programs = map[string]func() int{
	"etcd":                    func() int { etcdmain.Main(os.Args); return 0 },
	"kube-apiserver":          func() int { return cli.Run(apiserver.NewAPIServerCommand()) },
	"kube-controller-manager": func() int { return cli.Run(manager.NewControllerManagerCommand()) },
	"kube-scheduler":          func() int { return cli.Run(scheduler.NewSchedulerCommand()) },
	"kubelet":                 func() int { return cli.Run(kubelet.NewKubeletCommand(context.Background())) },
	"kubectl":                 runKubectl,
	"relay":                   runRelay,
	"volumes":                 runVolumes,
}

func main() {
	name := filepath.Base(os.Args[0])
	run, known := programs[name]
	if !known {
		fmt.Fprintf(os.Stderr, "there is no program %s in this binary\n", name)
		os.Exit(2)
	}
	os.Exit(run())
}

func runKubectl() int {
	err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand())
	util.CheckErr(err) // prints it and exits with its code
	return 0
}

// runRelay carries connections: relay TARGET LISTEN... . In the place of kube-proxy, which would change the packet
// filter of the whole machine, it listens at the cluster's addresses of the API server.
func runRelay() int {
	failed := make(chan error)
	for _, address := range os.Args[2:] {
		go func() { failed <- serve(address, os.Args[1]) }()
	}
	fmt.Fprintln(os.Stderr, <-failed)
	return 1
}

func serve(address, target string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		go carry(client.(*net.TCPConn), target)
	}
}

// carry ends each direction for itself: one side may go on when the other has said all.
func carry(client *net.TCPConn, target string) {
	defer client.Close()
	connection, err := net.Dial("tcp", target)
	if err != nil {
		return // the API server is away: its clients see a closed connection
	}
	server := connection.(*net.TCPConn)
	defer server.Close()
	var both sync.WaitGroup
	both.Go(func() { io.Copy(server, client); server.CloseWrite() })
	both.Go(func() { io.Copy(client, server); client.CloseWrite() })
	both.Wait()
}

// runVolumes opens each new folder in a folder to everybody: volumes FOLDER. Volumes that are made on demand belong to
// root alone, where other small clusters make them for pods of every user.
func runVolumes() int {
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		err = watcher.Add(os.Args[1])
	}
	for err == nil {
		select {
		case event := <-watcher.Events:
			if event.Has(fsnotify.Create) {
				err = os.Chmod(event.Name, 0o777)
			}
		case err = <-watcher.Errors:
		}
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}
