# stakeout beside a Go service on Fargate: the bucket, the roles, the log group and the task definition. Variables are what
# you change; an aws_ecs_service of your own runs aws_ecs_task_definition.this. See docs/deploying.md.

terraform {
  required_version = ">= 1.3"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "region" {
  type    = string
  default = "us-east-1"
}

variable "service" {
  description = "Names the task, its roles, its log group and its incidents"
  type        = string
  default     = "woogles"
}

variable "image" {
  description = "The service's image"
  type        = string
  default     = "123456789012.dkr.ecr.us-east-1.amazonaws.com/woogles:1.4.2"
}

variable "stakeout_image" {
  description = "Where you have pushed stakeout's image"
  type        = string
  default     = "123456789012.dkr.ecr.us-east-1.amazonaws.com/stakeout:0.1.0"
}

variable "port" {
  description = "The service's own port"
  type        = number
  default     = 8000
}

variable "debug_url" {
  description = "Where the service serves its profiles, as seen from within the task"
  type        = string
  default     = "http://localhost:8001/debug/pprof"
}

variable "bucket" {
  description = "The bucket for the incidents, which is made"
  type        = string
  default     = "woogles-profiles"
}

variable "prefix" {
  description = "What their keys in it begin with"
  type        = string
  default     = "prod"
}

variable "keep_days" {
  description = "How long incidents are kept"
  type        = number
  default     = 90
}

variable "cpu" {
  description = "Of the whole task, in 1024ths of a core"
  type        = string
  default     = "1024"
}

variable "memory" {
  description = "Of the whole task, in MiB"
  type        = string
  default     = "2048"
}

provider "aws" {
  region = var.region
}

data "aws_partition" "this" {}

resource "aws_s3_bucket" "incidents" {
  bucket = var.bucket
}

resource "aws_s3_bucket_public_access_block" "incidents" {
  bucket                  = aws_s3_bucket.incidents.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "incidents" {
  bucket = aws_s3_bucket.incidents.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "incidents" {
  bucket = aws_s3_bucket.incidents.id

  # What was learned (_state/) stays: the next task begins with it.
  rule {
    id     = "incidents"
    status = "Enabled"
    filter {
      prefix = "${var.prefix}/service=${var.service}/date="
    }
    expiration {
      days = var.keep_days
    }
  }

  rule {
    id     = "fleet"
    status = "Enabled"
    filter {
      prefix = "${var.prefix}/service=${var.service}/_state/fleet/"
    }
    expiration {
      days = 2
    }
  }

  rule {
    id     = "unfinished-uploads"
    status = "Enabled"
    filter {
      prefix = "${var.prefix}/"
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/ecs/${var.service}"
  retention_in_days = 30
}

locals {
  trust = {
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  }

  # What `stakeout init --policy` prints; what your service itself may do is a policy beside it.
  policy = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "StoreIncidents"
        Effect   = "Allow"
        Action   = ["s3:PutObject", "s3:AbortMultipartUpload"]
        Resource = "arn:${data.aws_partition.this.partition}:s3:::${var.bucket}/${var.prefix}/*"
      },
      {
        Sid      = "KnowWhatWasLearned"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = "arn:${data.aws_partition.this.partition}:s3:::${var.bucket}/${var.prefix}/service=${var.service}/_state/*"
      }
    ]
  }

  log = {
    logDriver = "awslogs"
    options = {
      awslogs-group         = "/ecs/${var.service}"
      awslogs-region        = var.region
      awslogs-stream-prefix = var.service
    }
  }

  config = <<-EOT
    service: ${var.service}
    app:
      debug: ${var.debug_url}
      container: api
    export:
      s3: {bucket: ${var.bucket}, prefix: ${var.prefix}, region: ${var.region}}
  EOT

  containers = [
    {
      name             = "api"
      image            = var.image
      essential        = true
      portMappings     = [{ containerPort = var.port, protocol = "tcp" }]
      logConfiguration = local.log
      dependsOn        = [{ containerName = "stakeout", condition = "START" }]
    },
    {
      name                   = "stakeout"
      image                  = var.stakeout_image
      essential              = false
      cpu                    = 16
      memoryReservation      = 24
      memory                 = 64
      readonlyRootFilesystem = true
      linuxParameters        = { capabilities = { drop = ["ALL"] } }
      stopTimeout            = 30
      environment            = [{ name = "STAKEOUT_CONFIG", value = local.config }]
      mountPoints            = [{ sourceVolume = "stakeout", containerPath = "/var/lib/stakeout" }]
      healthCheck = {
        command  = ["CMD", "/stakeout", "status", "--quiet"]
        interval = 30
        timeout  = 5
        retries  = 3
      }
      logConfiguration = local.log
    }
  ]
}

resource "aws_iam_role" "execution" {
  name               = "${var.service}-execution"
  assume_role_policy = jsonencode(local.trust)
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:${data.aws_partition.this.partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role" "task" {
  name               = "${var.service}-task"
  assume_role_policy = jsonencode(local.trust)
}

resource "aws_iam_role_policy" "stakeout" {
  name   = "stakeout"
  role   = aws_iam_role.task.id
  policy = jsonencode(local.policy)
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.service
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions    = jsonencode(local.containers)

  volume {
    name = "stakeout"
  }

  depends_on = [aws_cloudwatch_log_group.this]
}

output "task_definition" {
  description = "What a service of ECS runs"
  value       = aws_ecs_task_definition.this.arn
}

output "incidents" {
  description = "What `stakeout list` and `stakeout review` are given"
  value       = "s3://${var.bucket}/${var.prefix}"
}
