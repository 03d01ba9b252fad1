"""Thousands of predictions under every fault there is: does anything hang, leak or bill twice?"""
