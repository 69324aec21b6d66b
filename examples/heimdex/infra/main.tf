terraform {
  required_version = ">= 1.9"
}

variable "region" {
  type    = string
  default = "us-central1"
}

output "service" {
  value = "heimdex-api in ${var.region}"
}
