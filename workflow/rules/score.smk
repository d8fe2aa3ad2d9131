rule score:
    input:
        manifests("prepare", "train"),
    output:
        MANIFESTS["score"],
    log:
        os.path.join(OUT, "logs", "score.log"),
    benchmark:
        os.path.join(OUT, "benchmarks", "score.tsv")
    resources:
        **asked("score"),
    params:
        call=call("score"),
    message:
        REASONS["score"]
    shell:
        "{params.call} --log {log:q}"
