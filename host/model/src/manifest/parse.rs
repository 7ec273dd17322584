use super::Manifest;
