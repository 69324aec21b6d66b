variable "REGISTRY" {
  default = "ghcr.io"
}
variable "IMAGE_PREFIX" {
  default = "ghcr.io/aaronspindler/site"
}
variable "TAG" {
  default = "latest"
}

group "default" {
  targets = ["production"]
}
group "production" {
  targets = ["web", "celery", "celerybeat", "flower"]
}
group "essential" {
  targets = ["web", "celery", "celerybeat"]
}

target "_common" {
  context    = "."
  dockerfile = "deployment/Dockerfile.multistage"
  platforms  = ["linux/amd64"]
  args = {
    PYTHON_VERSION = "3.13"
  }
}
target "test" {
  inherits = ["_common"]
  target   = "test"
  tags     = ["${IMAGE_PREFIX}:${TAG}"]
}
target "web" {
  inherits = ["_common"]
  target   = "web"
  tags     = ["${IMAGE_PREFIX}-web:${TAG}"]
}
target "celery" {
  inherits = ["_common"]
  target   = "celery"
  tags     = ["${IMAGE_PREFIX}-celery:${TAG}"]
}
target "celerybeat" {
  inherits = ["_common"]
  target   = "celerybeat"
  tags     = ["${IMAGE_PREFIX}-celerybeat:${TAG}"]
}
target "flower" {
  inherits = ["_common"]
  target   = "flower"
  tags     = ["${IMAGE_PREFIX}-flower:${TAG}"]
}
