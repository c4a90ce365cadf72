/** Where the image for sandboxes of pods comes from, on nodes that do not bring their own. */
const pauseImage = 'mcr.microsoft.com/oss/kubernetes/pause:3.6'

const criPlugin = 'plugins."io.containerd.grpc.v1.cri"'

/** Configuration of containerd: with a driver of NVIDIA its runtime, else runc (Z-BOOT-10). */
export const containerdConfig = (hasGpuDriver: boolean): string => {
  const runtime = hasGpuDriver ? 'nvidia-container-runtime' : 'runc'
  const runtimeTable = (name: string, hasSystemdCgroup: boolean) => [
    `    [${criPlugin}.containerd.runtimes.${name}]`,
    '      runtime_type = "io.containerd.runc.v2"',
    `    [${criPlugin}.containerd.runtimes.${name}.options]`,
    `      BinaryName = "/usr/bin/${runtime}"`,
    ...(hasSystemdCgroup ? ['      SystemdCgroup = true'] : []),
  ]
  return [
    'version = 2',
    'oom_score = 0',
    `[${criPlugin}]`,
    `  sandbox_image = "${pauseImage}"`,
    `  [${criPlugin}.containerd]`,
    `    default_runtime_name = "${runtime}"`,
    ...runtimeTable(runtime, true),
    ...runtimeTable('untrusted', false),
    `  [${criPlugin}.registry]`,
    '    config_path = "/etc/containerd/certs.d"',
    `  [${criPlugin}.registry.headers]`,
    '    X-Meta-Source-Client = ["azure/aks"]',
    '[metrics]',
    '  address = "0.0.0.0:10257"',
    '',
  ].join('\n')
}
