#!/usr/bin/env bash
# helm lint and helm template accept the chart, and its schema refuses a misspelt value. Helm is a Go program
# that Debian does not have: built where Go is installed, skipped aloud elsewhere.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
command -v go >/dev/null || { echo "SKIPPED helm: Go is not installed"; exit 0; }
helm=$PWD/build/go/bin/helm
if [ ! -x "$helm" ]; then
  GOBIN=$PWD/build/go/bin GOFLAGS=-modcacherw go install helm.sh/helm/v3/cmd/helm@v3.17.3 ||
    { echo "SKIPPED helm: it could not be built here"; exit 0; }
fi
"$helm" lint --strict --kube-version 1.30.0 helm
rendered=$("$helm" template --kube-version 1.30.0 gate helm --set secretName=keys --set rollOnConfigChange=true)
for wanted in 'kind: Deployment' 'kind: Service' 'kind: ConfigMap' 'path: /readyz' 'path: /healthz' \
  'terminationGracePeriodSeconds: 330' 'checksum/config' 'secretRef'; do
  grep -q "$wanted" <<<"$rendered" || { echo "missing in the rendered chart: $wanted"; exit 1; }
done
if "$helm" template --kube-version 1.30.0 gate helm --set replica=3 >/dev/null 2>&1; then
  echo "the schema accepted the misspelt value 'replica'"
  exit 1
fi
echo "helm: the chart renders"
