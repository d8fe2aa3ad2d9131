rule train:
    input:
        manifests("prepare"),
    output:
        MANIFESTS["train"],
    log:
        os.path.join(OUT, "logs", "train.log"),
    benchmark:
        os.path.join(OUT, "benchmarks", "train.tsv")
    params:
        call=call("train"),
    resources:
        **asked("train"),
    message:
        REASONS["train"]
    shell:
        "{params.call} --log {log:q}"
