//! `longshore plan`.

mod event;
mod example;
mod format;
mod schema;
mod slip;

use crate::context::TestContext;

/// A workflow with most of what decides about jobs.
const CI: &str = "\
name: CI
on:
  push:
    branches: [main, 'release/**']
    paths-ignore: ['**/*.md']
  pull_request:
permissions:
  contents: read
jobs:
  lint:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: make lint
  test:
    needs: lint
    runs-on: ${{ matrix.os }}
    strategy:
      matrix:
        os: [ubuntu-latest, macos-latest]
        node: [20, 22]
    services:
      db: { image: 'postgres:16' }
    steps:
      - uses: actions/checkout@v4
      - run: make test
  publish:
    if: github.event_name == 'push'
    needs: [lint, test]
    runs-on: [self-hosted, linux]
    environment: production
    permissions:
      packages: write
    steps:
      - run: make publish
        env:
          TOKEN: ${{ secrets.REGISTRY_TOKEN }}
";

/// A workflow that somebody starts.
const DEPLOY: &str = "\
name: Deploy
on:
  workflow_dispatch:
    inputs:
      target:
        type: choice
        options: [staging, production]
        required: true
      dry-run:
        type: boolean
jobs:
  deploy:
    runs-on: ubuntu-latest
    environment: ${{ inputs.target }}
    concurrency: deploy-${{ inputs.target }}
    steps:
      - run: make deploy
";

/// A pushed repository with both workflows.
fn project() -> TestContext {
    let context = TestContext::new();
    context.write(".github/workflows/ci.yml", CI).write(".github/workflows/deploy.yml", DEPLOY);
    context.write("README.md", "read me").write("src/main.c", "int main;");
    context.git_with_remote();
    context
}

fn plan(context: &TestContext, arguments: &[&str]) -> String {
    let shown = context.run(&[&["plan", "--offline"], arguments].concat()).shown();
    format!("$ longshore plan {}\n{shown}", arguments.join(" "))
}
